#include "libs/target/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "libs/testkit/process.h"
#include "libs/websocket/server.h"

namespace roomcheck::target {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A control API that answers what the test says, and remembers what it was asked.
class Api final : public websocket::Application {
 public:
  void on_handshake(std::shared_ptr<websocket::Handshake>) override {}
  void on_http(std::shared_ptr<websocket::HttpExchange> exchange) override {
    asked.push_back(exchange->request().method + " " + exchange->request().target + " " +
                    exchange->request().header("Authorization") + " " + exchange->request().body);
    exchange->respond({status, body, "application/json", {}});
  }
  int status = 200;
  std::string body = "{}";
  std::vector<std::string> asked;
};

class HttpControl : public testing::Test {
 protected:
  HttpControl() : server_(io_, {}, api), thread_([this] { io_.run(); }) {}
  ~HttpControl() override {
    io_.stop();
    thread_.join();
  }
  std::unique_ptr<Control> control() {
    return make_control("http://127.0.0.1:" + std::to_string(server_.port()), "secret",
                        std::chrono::seconds(10));
  }

  Api api;

 private:
  boost::asio::io_context io_{1};
  websocket::Server server_;
  std::thread thread_;
};

TEST_F(HttpControl, AsksAsTheApiIsDocumented) {
  EXPECT_TRUE(control()->group_send("room.1", {{"type", "t"}}).ok());
  EXPECT_TRUE(control()->channel_send("specific.a!b", {{"type", "t"}}).ok());
  api.body = R"({"channels": ["a", "b"]})";
  EXPECT_THAT(*control()->members("r/1"), ElementsAre("a", "b"));
  EXPECT_THAT(api.asked, ElementsAre("POST /groups/room.1/send Bearer secret {\"type\":\"t\"}",
                                     "POST /channels/specific.a%21b/send Bearer secret {\"type\":\"t\"}",
                                     "GET /groups/r%2F1/channels Bearer secret "));
}

TEST_F(HttpControl, TellsTheKindsOfRefusalApart) {
  api.body = R"({"error": "Group name must be"})";
  const std::pair<int, Error::Kind> kCases[] = {{400, Error::Kind::bad_input},
                                                {401, Error::Kind::refused},
                                                {404, Error::Kind::unsupported},
                                                {503, Error::Kind::full},
                                                {500, Error::Kind::system}};
  for (const auto& [status, kind] : kCases) {
    api.status = status;
    const auto result = control()->group_send("g", {{"type", "t"}});
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind, kind);
    EXPECT_THAT(result.error().message, HasSubstr("Group name must be"));
  }
}

TEST(Control, NobodyThereIsSaidWithTheRemedy) {
  const auto result =
      make_control("http://127.0.0.1:" + std::to_string(testkit::free_port()), "", std::chrono::seconds(5))
          ->members("g");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, Error::Kind::refused);
  EXPECT_THAT(result.error().message, HasSubstr("is --control right?"));
}

TEST(Control, OtherAddressesAreRefused) {
  EXPECT_THROW((void)make_control("gopher://x", "", std::chrono::seconds(1)), BadInput);
}

}  // namespace
}  // namespace roomcheck::target
