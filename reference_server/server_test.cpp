// The node in this process, with real sockets: the seed's contract, message by message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "libs/testkit/process.h"
#include "reference_server/node.h"
#include "reference_server/recorder.h"

namespace roomcheck::reference_server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using websocket::ConnectionPtr;

const std::string kP1 = "\\u9884\\u8b66\\u4fe1\\u606f1\\uff1a";
const std::string kP2 = "\\u9884\\u8b66\\u4fe1\\u606f2\\uff1a";

class ReferenceServer : public testing::TestWithParam<const char*> {
 protected:
  NodeOptions options;

  void start() {
    options.control.reuse_port = false;
    options.threads = 2;
    node_ = std::make_unique<Node>(options);
    thread_ = std::thread([this] { node_->run(); });
  }

  void TearDown() override {
    client_.reset();
    io_.poll();
    if (!node_) return;
    node_->stop();
    thread_.join();
  }

  struct Member {
    ConnectionPtr connection;
    std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  };
  Member connect(const std::string& target, const websocket::Headers& headers = {}) {
    if (!node_) start();
    if (!client_) client_ = std::make_unique<websocket::Client>(io_);
    websocket::ConnectOptions connect_options;
    connect_options.url = websocket::parse_url("ws://127.0.0.1:" + std::to_string(node_->port()) + target);
    connect_options.headers = headers;
    Member member;
    member.connection = client_->connect(connect_options, std::make_unique<Recorder>(member.seen));
    run_until([&] { return member.seen->opened || !member.seen->refused.empty(); });
    return member;
  }

  template <class Ready>
  void run_until(Ready ready) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!ready() && std::chrono::steady_clock::now() < limit) {
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(20));
    }
    ASSERT_TRUE(ready());
  }

  // Through the layer of the node, as an outside producer would.
  std::uint64_t push(const std::string& group, channel_layer::Event event) {
    std::atomic<std::int64_t> members{-1};
    boost::asio::post(node_->first_loop(), [&] {
      node_->first_layer().group_send(group, event, [&](const Result<channel_layer::GroupSendReport>& r) {
        members = r.ok() ? static_cast<std::int64_t>(r->members) : 0;
      });
    });
    run_until([&] { return members >= 0; });
    return static_cast<std::uint64_t>(members);
  }

  std::vector<std::string> channels(const std::string& group) {
    std::vector<std::string> out;
    std::atomic<bool> done{false};
    boost::asio::post(node_->first_loop(), [&] {
      node_->first_layer().group_channels(group, [&](const Result<std::vector<std::string>>& r) {
        out = *r;
        done = true;
      });
    });
    run_until([&] { return done.load(); });
    return out;
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<Node> node_;
  std::thread thread_;
  std::unique_ptr<websocket::Client> client_;
};

TEST_F(ReferenceServer, EchoesWithTheSeedsPrefixByteForByte) {
  Member me = connect("/ws/chat/");
  me.connection->send_text(R"({"message": "hi"})");
  run_until([&] { return !me.seen->texts.empty(); });
  EXPECT_THAT(me.seen->texts, ElementsAre(R"({"message": "xxx\uff1ahi"})"));
}

TEST_P(ReferenceServer, ARoomMessageReachesEveryMemberWithBothPrefixes) {
  const std::string route = std::string(GetParam()) + "room.1/";
  Member a = connect(route), b = connect(route), other = connect(std::string(GetParam()) + "room.2/");
  a.connection->send_text(R"({"msg":"连接成功!"})");
  run_until([&] { return !a.seen->texts.empty() && !b.seen->texts.empty(); });
  const std::string expected = R"({"message": ")" + kP2 + kP1 + R"(\u8fde\u63a5\u6210\u529f!"})";
  EXPECT_THAT(a.seen->texts, ElementsAre(expected));
  EXPECT_THAT(b.seen->texts, ElementsAre(expected));
  EXPECT_THAT(other.seen->texts, IsEmpty());
}

TEST_P(ReferenceServer, ABadMessageCloses1011AndLeavesNoGhost) {
  const std::string route = std::string(GetParam()) + "r/";
  Member good = connect(route);
  for (const char* text :
       {"", "not json", "[1]", "42", "{}", R"({"message":"x"})", R"({"msg":7})", R"({"msg":"\ud83d"})"}) {
    Member bad = connect(route);
    bad.connection->send_text(text);
    run_until([&] { return !bad.seen->closes.empty(); });
    EXPECT_THAT(bad.seen->closes, ElementsAre(1011)) << text;
  }
  Member binary = connect(route);
  binary.connection->send_binary(R"({"msg":"x"})");
  Member deep = connect(route);
  deep.connection->send_text(std::string(100000, '['));
  run_until([&] { return !binary.seen->closes.empty() && !deep.seen->closes.empty(); });
  run_until([&] { return channels("r").size() == 1; });
  good.connection->send_text(R"({"msg":"still here"})");
  run_until([&] { return !good.seen->texts.empty(); });
  EXPECT_EQ(good.seen->texts.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Consumers, ReferenceServer,
                         testing::Values("/ws/chat/", "/ws/sync/", "/ws/async/", "/ws/json/",
                                         "/ws/async-json/"),
                         [](const auto& param) {
                           std::string name = param.param;
                           name.erase(std::remove_if(name.begin(), name.end(),
                                                     [](char c) { return c == '/' || c == '-'; }),
                                      name.end());
                           return name;
                         });

TEST_F(ReferenceServer, TheFourConsumersAreOneRoom) {
  Member chat = connect("/ws/chat/x/"), sync = connect("/ws/sync/x/"), json = connect("/ws/json/x/");
  sync.connection->send_text(R"({"msg":"1"})");
  json.connection->send_text(R"({"msg":"2"})");
  run_until([&] {
    return chat.seen->texts.size() == 2 && sync.seen->texts.size() == 2 && json.seen->texts.size() == 2;
  });
}

TEST_F(ReferenceServer, PushAndDirectReachWhomTheyShould) {
  Member a = connect("/ws/chat/r/");
  const std::string name_of_a = channels("r").at(0);
  Member b = connect("/ws/chat/r/");
  EXPECT_EQ(push("r", {{"type", "chat.push.message"}, {"message", "预警"}}), 2u);
  run_until([&] { return a.seen->texts.size() == 1 && b.seen->texts.size() == 1; });
  EXPECT_EQ(b.seen->texts[0], R"({"message": "\u9884\u8b66"})");
  boost::asio::post(node_->first_loop(), [&] {
    node_->first_layer().send(name_of_a, {{"type", "chat_message"}, {"message", "just you"}}, {});
  });
  run_until([&] { return a.seen->texts.size() == 2; });
  EXPECT_EQ(a.seen->texts[1], R"({"message": ")" + kP2 + R"(just you"})");
  EXPECT_EQ(b.seen->texts.size(), 1u);
}

TEST_F(ReferenceServer, EventsItCannotTakeAreCountedAndKillNobody) {
  Member a = connect("/ws/chat/r/"), b = connect("/ws/sync/r/");
  for (const channel_layer::Event& event :
       std::vector<channel_layer::Event>{{{"type", "no_such"}},
                                         {{"type", "_private"}},
                                         {{"type", 7}},
                                         {{"no", "type"}},
                                         {{"type", "websocket.receive"}, {"text", R"({"msg":"forged"})"}},
                                         {{"type", "websocket.disconnect"}},
                                         {{"type", "send"}},
                                         {{"type", "close"}},
                                         {{"type", "chat_message"}},
                                         {{"type", "chat_message"}, {"message", 7}}})
    push("r", event);
  push("r", {{"type", "chat_push_message"}, {"message", "fence"}});
  run_until([&] { return !a.seen->texts.empty() && !b.seen->texts.empty(); });
  EXPECT_THAT(a.seen->texts, ElementsAre(R"({"message": "fence"})"));
  EXPECT_THAT(b.seen->texts, ElementsAre(R"({"message": "fence"})"));
  EXPECT_THAT(a.seen->closes, IsEmpty());
  std::atomic<std::uint64_t> bad{0};
  std::atomic<bool> done{false};
  node_->collect([&](const NodeStats& stats) {
    bad = stats.hosts.bad_events;
    done = true;
  });
  run_until([&] { return done.load(); });
  EXPECT_EQ(bad, 20u);
}

TEST_F(ReferenceServer, RefusesPathsAndNamesAndLeavesNoMember) {
  for (const char* target : {"/ws/chat/r", "/ws/chat//", "/nope/", "/ws/chat/a%2Fb/", "/ws/chat/a%20b/",
                             "/ws/chat/%E6%88%BF/", "/ws/sync/a!b/"}) {
    Member member = connect(target);
    EXPECT_THAT(member.seen->refused, ElementsAre(404)) << target;
  }
  Member longest = connect("/ws/chat/" + std::string(99, 'x') + "/");
  EXPECT_TRUE(longest.seen->opened);
  Member too_long = connect("/ws/chat/" + std::string(100, 'x') + "/");
  EXPECT_FALSE(too_long.seen->opened);
}

TEST_F(ReferenceServer, StoppingClosesEveryone1001) {
  Member a = connect("/ws/chat/r/"), b = connect("/ws/sync/r/");
  node_->stop();
  run_until([&] { return !a.seen->closes.empty() && !b.seen->closes.empty(); });
  EXPECT_THAT(a.seen->closes, ElementsAre(1001));
  EXPECT_THAT(b.seen->closes, ElementsAre(1001));
}

// A session as a site with this key gives it to user 7, by real Django.
std::string django_cookie(const std::string& key) {
  return "sessionid=" +
         testkit::run({"/usr/bin/python3", "-c",
                       "import sys\n"
                       "from django.conf import settings\n"
                       "settings.configure(SECRET_KEY=sys.argv[1])\n"
                       "from django.contrib.sessions.backends.signed_cookies import SessionStore\n"
                       "s = SessionStore()\n"
                       "s['_auth_user_id'] = '7'\n"
                       "s['_auth_user_backend'] = 'django.contrib.auth.backends.ModelBackend'\n"
                       "s.save()\n"
                       "print(s.session_key, end='')",
                       key})
             .out;
}

TEST_F(ReferenceServer, KnowsTheUserOfADjangoSession) {
  options.session_keys = {"a site's secret key"};
  const std::string cookie = django_cookie("a site's secret key");
  const auto who = [&](const websocket::Headers& headers) {
    Member member = connect("/ws/whoami/", headers);
    member.connection->send_text("who?");
    run_until([&] { return !member.seen->texts.empty(); });
    return member.seen->texts[0];
  };
  EXPECT_EQ(who({{"Cookie", cookie}}), R"({"user": 7})");
  EXPECT_EQ(who({}), R"({"user": null})");
  EXPECT_EQ(who({{"Cookie", cookie.substr(0, cookie.size() - 1)}}), R"({"user": null})");
  EXPECT_TRUE(connect("/ws/chat/r/", {{"Cookie", "sessionid=garbage"}}).seen->opened)
      << "the seed refuses nobody";
}

TEST_F(ReferenceServer, APrivateRoomWantsALogin) {
  options.session_keys = {"key"};
  EXPECT_THAT(connect("/ws/private/r/").seen->refused, ElementsAre(403));
  Member member = connect("/ws/private/r/", {{"Cookie", django_cookie("key")}});
  ASSERT_TRUE(member.seen->opened);
  Member guest = connect("/ws/chat/r/");
  guest.connection->send_text(R"({"msg": "x"})");
  run_until([&] { return !member.seen->texts.empty(); });  // one group: only the door differs
}

TEST_F(ReferenceServer, WhereLoginIsRequiredNobodyComesInWithout) {
  options.session_keys = {"key"};
  options.login_required = true;
  for (const char* path : {"/ws/chat/", "/ws/chat/r/", "/ws/json/r/", "/ws/whoami/"})
    EXPECT_THAT(connect(path).seen->refused, ElementsAre(403)) << path;
  EXPECT_TRUE(connect("/ws/chat/r/", {{"Cookie", django_cookie("key")}}).seen->opened);
}

TEST_F(ReferenceServer, AnOriginThatIsNotAllowedIsA403WhateverThePath) {
  options.allowed_origins = {"https://chat.example"};
  EXPECT_TRUE(connect("/ws/chat/r/", {{"Origin", "https://chat.example"}}).seen->opened);
  EXPECT_THAT(connect("/ws/chat/r/", {{"Origin", "https://evil.example"}}).seen->refused, ElementsAre(403));
  EXPECT_THAT(connect("/nowhere/").seen->refused, ElementsAre(403));
}

}  // namespace
}  // namespace roomcheck::reference_server
