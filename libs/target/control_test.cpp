#include "libs/target/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "libs/testkit/files.h"
#include "libs/testkit/process.h"
#include "libs/testkit/redis.h"
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

// A program that answers what the test says; what it was asked ends up in a file.
class CommandControl : public testing::Test {
 protected:
  std::unique_ptr<Control> answering(const std::string& line,
                                     std::chrono::seconds limit = std::chrono::seconds(20)) {
    const std::string script =
        directory_.write("control.sh", "while read -r line; do echo \"$line\" >> " +
                                           directory_.path("asked") + "; " + line + "; done");
    return make_control("cmd:sh " + script, "", limit);
  }
  std::string asked() const { return testkit::slurp(directory_.path("asked")); }

 private:
  testkit::TemporaryDirectory directory_;
};

TEST_F(CommandControl, AsksALineAndTakesALine) {
  const auto control = answering(R"(echo '{"channels": ["a", "b"]}')");
  EXPECT_TRUE(control->group_send("room.1", {{"type", "t"}}).ok());
  EXPECT_TRUE(control->channel_send("specific.a!b", {{"type", "t"}}).ok());
  EXPECT_THAT(*control->members("r 1"), ElementsAre("a", "b"));
  EXPECT_TRUE(control->knows_members());
  EXPECT_EQ(asked(),
            "{\"do\":\"group-send\",\"group\":\"room.1\",\"event\":{\"type\":\"t\"}}\n"
            "{\"do\":\"channel-send\",\"channel\":\"specific.a!b\",\"event\":{\"type\":\"t\"}}\n"
            "{\"do\":\"members\",\"group\":\"r 1\"}\n"
            "{\"do\":\"members\",\"group\":\"roomcheck\"}\n");
}

TEST_F(CommandControl, TellsTheKindsOfRefusalApart) {
  const std::pair<const char*, Error::Kind> kCases[] = {
      {R"(echo '{"error": "Group name must be"}')", Error::Kind::bad_input},
      {R"(echo '{"error": "Group name must be", "kind": "unsupported"}')", Error::Kind::unsupported},
      {R"(echo '{"error": "Group name must be", "kind": "full"}')", Error::Kind::full},
      {R"(echo '{"error": "Group name must be", "kind": 7}')", Error::Kind::system},
      {"echo Group name must be", Error::Kind::system},
  };
  for (const auto& [line, kind] : kCases) {
    const auto control = answering(line);
    const auto result = control->group_send("g", {{"type", "t"}});
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind, kind) << line;
    EXPECT_THAT(result.error().message, HasSubstr("Group name must be"));
    EXPECT_EQ(control->knows_members(), kind != Error::Kind::unsupported);
  }
}

TEST_F(CommandControl, OneThatEndsOrFallsSilentIsStartedAgain) {
  const auto ends = answering("exit 1");
  EXPECT_EQ(ends->members("g").error().kind, Error::Kind::closed);
  EXPECT_EQ(ends->members("g").error().kind, Error::Kind::closed);
  EXPECT_EQ(asked(), "{\"do\":\"members\",\"group\":\"g\"}\n{\"do\":\"members\",\"group\":\"g\"}\n");
  const auto silent = answering("true", std::chrono::seconds(1));
  EXPECT_EQ(silent->members("g").error().kind, Error::Kind::timeout);
  const auto nobody = make_control("cmd:/no/such/program 2>/dev/null", "", std::chrono::seconds(20));
  const auto result = nobody->members("g");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, Error::Kind::closed);
  EXPECT_THAT(result.error().message, HasSubstr("the control cmd:/no/such/program ended without an answer"));
}

// A control whose groups the test fills.
class Groups final : public Control {
 public:
  Result<void> group_send(const std::string&, const event::Event&) override { return {}; }
  Result<void> channel_send(const std::string&, const event::Event&) override { return {}; }
  Result<std::vector<std::string>> members(const std::string&) override { return names; }
  std::string describe() const override { return "test"; }
  std::vector<std::string> names{"old"};
};

TEST(Control, ANewMembersNameIsTheOneThatWasNotThere) {
  Groups groups;
  EXPECT_EQ(*groups.channel_of("g", [&] { groups.names = {"new", "old"}; }), "new");
  EXPECT_EQ(
      groups.channel_of("g", [&] { groups.names.push_back("a"), groups.names.push_back("b"); }).error().kind,
      Error::Kind::unsupported);
  EXPECT_EQ(groups.channel_of("g", [] {}).error().kind, Error::Kind::unsupported);
}

TEST(Control, OnPubSubABusyBusIsNotGuessedAbout) {
  const testkit::TemporaryRedis redis;
  const auto subscribe = [&redis](const std::string& topic) {
    auto out = std::make_unique<testkit::Process>(
        std::vector<std::string>{"redis-cli", "-p", std::to_string(redis.port()), "SUBSCRIBE", topic});
    out->wait_for("(subscribe)");
    return out;
  };
  const auto control = make_control(redis.url() + "?layer=pubsub&prefix=site*", "", std::chrono::seconds(20));
  EXPECT_FALSE(control->knows_members());
  EXPECT_EQ(control->members("g").error().kind, Error::Kind::unsupported);
  const auto foreign = subscribe("asgispecific.x"), pattern = subscribe("sitespecific.x");
  std::vector<std::unique_ptr<testkit::Process>> mine;
  EXPECT_EQ(*control->channel_of("g", [&] { mine.push_back(subscribe("site*specific.a")); }),
            "site*specific.a");
  const auto busy = control->channel_of("g", [&] {
    for (const char* topic : {"site*specific.b", "site*specific.c"}) mine.push_back(subscribe(topic));
  });
  ASSERT_FALSE(busy.ok());
  EXPECT_EQ(busy.error().kind, Error::Kind::unsupported);
  EXPECT_THAT(busy.error().message, HasSubstr("2 new subscriptions"));
}

TEST(Control, AnAddressIsDescribedWithoutItsPassword) {
  const testkit::TemporaryRedis redis;
  const std::string port = std::to_string(redis.port());
  const auto control =
      make_control("redis://:secret@127.0.0.1:" + port + "/1?prefix=site", "", std::chrono::seconds(1));
  EXPECT_EQ(control->describe(), "redis://127.0.0.1:" + port + "/1?layer=core&prefix=site");
}

TEST(Control, OtherAddressesAreRefused) {
  for (const char* address :
       {"gopher://x", "cmd:", "cmd: ", "x", "redis://x?layer=memory", "redis://x:y", "rediss://x"})
    EXPECT_THROW((void)make_control(address, "", std::chrono::seconds(1)), BadInput) << address;
}

}  // namespace
}  // namespace roomcheck::target
