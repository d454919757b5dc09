// The server on Redis, as processes: Redis that dies and comes back, two nodes that are one cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "libs/target/control.h"
#include "libs/testkit/paths.h"
#include "libs/testkit/redis.h"
#include "reference_server/recorder.h"

namespace roomcheck::reference_server {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testkit::Process;
using testkit::TemporaryRedis;

const std::string kP2 = R"({"message": "\u9884\u8b66\u4fe1\u606f2\uff1a)";
const std::string kP1 = R"(\u9884\u8b66\u4fe1\u606f1\uff1a)";

std::string shown(const std::string& text) { return kP2 + kP1 + text + "\"}"; }

struct Member {
  websocket::ConnectionPtr connection;
  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  void say(const std::string& text) const { connection->send_text("{\"msg\":\"" + text + "\"}"); }
};

// A reference_server on a Redis.
class Server {
 public:
  Server(const std::string& layer, const std::string& redis_url, std::vector<std::string> more = {})
      : process_(command(layer, redis_url, std::move(more))) {
    room_ = process_.wait_for("listening on (ws://127.0.0.1:\\d+)");
    control_ = target::make_control(process_.wait_for("control on (http://127.0.0.1:\\d+)"), "", 10s);
  }

  // Not an orderly end, which would wait for clients that no longer answer.
  ~Server() {
    if (!process_.wait(0s)) process_.signal(SIGKILL);
  }

  std::string url(const std::string& room) const { return room_ + "/ws/chat/" + room + "/"; }
  target::Control& control() { return *control_; }
  Process& process() { return process_; }

 private:
  static std::vector<std::string> command(const std::string& layer, const std::string& redis_url,
                                          std::vector<std::string> more) {
    std::vector<std::string> words{testkit::bin_dir() + "/reference_server",
                                   "--listen",
                                   "127.0.0.1:0",
                                   "--control",
                                   "127.0.0.1:0",
                                   "--layer",
                                   layer,
                                   "--redis-url",
                                   redis_url,
                                   "--threads",
                                   "2"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  Process process_;
  std::string room_;
  std::unique_ptr<target::Control> control_;
};

class OnRedis : public testing::TestWithParam<const char*> {
 protected:
  Member connect(const std::string& url) {
    websocket::ConnectOptions options;
    options.url = websocket::parse_url(url);
    Member member;
    member.connection = client_.connect(options, std::make_unique<Recorder>(member.seen));
    return member;
  }
  Member join(const std::string& url) {
    Member member = connect(url);
    run_until([&] { return member.seen->opened || !member.seen->refused.empty(); });
    EXPECT_TRUE(member.seen->opened);
    return member;
  }

  template <class Ready>
  void run_until(Ready ready) {
    const auto limit = std::chrono::steady_clock::now() + 30s;
    while (!ready() && std::chrono::steady_clock::now() < limit) {
      io_.restart();
      io_.run_one_for(20ms);
    }
    ASSERT_TRUE(ready());
  }

  bool is_core() const { return GetParam() == std::string("redis"); }

  std::vector<std::string> redis(std::vector<std::string> words) {
    words.insert(words.begin(), {"redis-cli", "-p", std::to_string(redis_.port())});
    std::istringstream lines(testkit::run(words).out);
    std::vector<std::string> out;
    for (std::string line; std::getline(lines, line);)
      if (!line.empty()) out.push_back(line);
    return out;
  }

  // Octets on their way to a port of 127.0.0.1 that nobody there has read.
  static std::uint64_t unread_at(std::uint16_t port) {
    std::ifstream table("/proc/net/tcp");
    std::string line, number, local, remote, state, queues;
    std::uint64_t out = 0;
    std::getline(table, line);
    while (std::getline(table, line)) {  // 0: 0100007F:A5C1 0100007F:1B58 01 UNSENT__:UNREAD__ ...
      std::istringstream(line) >> number >> local >> remote >> state >> queues;
      if (state != "01") continue;
      if (std::stoul(remote.substr(9), nullptr, 16) == port) out += std::stoul(queues, nullptr, 16);
      if (std::stoul(local.substr(9), nullptr, 16) == port) out += std::stoul(queues.substr(9), nullptr, 16);
    }
    return out;
  }

  // The room is complete in Redis: with its members on core, with its nodes on pub/sub.
  bool is_complete(const std::string& room, std::size_t members, std::size_t nodes) {
    if (is_core()) return redis({"ZCARD", "asgi:group:" + room}) == std::vector{std::to_string(members)};
    return redis({"PUBSUB", "NUMSUB", "asgi__group__" + room}).back() == std::to_string(nodes);
  }

  TemporaryRedis redis_;
  boost::asio::io_context io_{1};
  websocket::Client client_{io_};
};

constexpr std::size_t kMembers = 300, kRooms = 3;

// layer.reconnect: nobody is disconnected, afterwards everybody is a member again, once.
TEST_P(OnRedis, ARestartOfAnEmptyRedisIsSurvivedByEveryMember) {
  Server server(GetParam(), redis_.url());
  std::vector<Member> members;
  for (std::size_t i = 0; i < kMembers; ++i)
    members.push_back(connect(server.url("room" + std::to_string(i % kRooms))));
  run_until([&] {
    return std::all_of(members.begin(), members.end(), [](const Member& m) { return m.seen->opened; });
  });
  const auto everyone_has = [&](std::size_t texts) {
    return std::all_of(members.begin(), members.end(),
                       [&](const Member& m) { return m.seen->texts.size() >= texts; });
  };
  for (std::size_t room = 0; room < kRooms; ++room) members[room].say("before");
  run_until([&] { return everyone_has(1); });

  redis_.kill();
  members[0].say("while it is away");
  Member late = connect(server.url("room0"));
  run_until([&] { return !late.seen->refused.empty() || late.seen->opened; });
  EXPECT_THAT(late.seen->refused, ElementsAre(503)) << "joining fails within a bounded time";
  const Result<void> push = server.control().group_send("room1", {{"type", "chat_push_message"}});
  ASSERT_FALSE(push.ok());
  EXPECT_NE(push.error().message.find("redis://127.0.0.1"), std::string::npos) << push.error().message;
  redis_.start();

  run_until([&] {
    for (std::size_t room = 0; room < kRooms; ++room)
      if (!is_complete("room" + std::to_string(room), kMembers / kRooms, 1)) return false;
    return true;
  });
  for (std::size_t room = 0; room < kRooms; ++room) members[room].say("after");
  run_until([&] { return everyone_has(2); });
  for (std::size_t room = 0; room < kRooms; ++room) members[room].say("fence");
  run_until([&] { return everyone_has(3); });
  for (const Member& member : members) {
    ASSERT_THAT(member.seen->texts, ElementsAre(shown("before"), shown("after"), shown("fence")));
    ASSERT_THAT(member.seen->closes, IsEmpty());
  }
  EXPECT_TRUE(join(server.url("room0")).seen->opened) << "new members are welcome again";
}

// Redis dies with some of a burst delivered, some in its queues, and a command half received: what is lost is
// lost, but nothing comes twice, or late after what was said later.
TEST_P(OnRedis, KilledInTheMiddleOfAWriteLosesSomeAndRepeatsNothing) {
  constexpr int kRoom = 10;
  Server server(GetParam(), redis_.url());
  std::vector<Member> members;
  for (int i = 0; i < kRoom; ++i) members.push_back(join(server.url("r")));
  run_until([&] { return is_complete("r", kRoom, 1); });
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const std::string filling(20'000, 'x');  // ten to twenty times the time for each octet
#else
  const std::string filling(200'000, 'x');
#endif
  const auto in_the_middle = [&] { return unread_at(redis_.port()) > filling.size() / 2; };
  int number = 0;
  for (bool caught = false; !caught;) {
    ASSERT_LT(number, 1000) << "no write was ever under way";
    const std::size_t heard = members[1].seen->texts.size();
    for (int i = 0; i < 2 * kRoom; ++i, ++number)
      members[static_cast<std::size_t>(i % kRoom)].say(std::to_string(number) + " " + filling);
    run_until([&] { return members[1].seen->texts.size() > heard; });
    redis_.process().signal(SIGSTOP);
    for (int turn = 0; turn < 10 && !(caught = in_the_middle()); ++turn) io_.run_one_for(20ms);
    if (!caught) redis_.process().signal(SIGCONT);
  }
  redis_.kill();
  redis_.start();

  run_until([&] { return is_complete("r", kRoom, 1); });
  // What the others said before may still be on its way to the server while member 0 goes on: only of a
  // sender itself is it known what it said first.
  const auto everyone_has = [&](const std::string& text) {
    return std::all_of(members.begin(), members.end(), [&](const Member& m) {
      const std::vector<std::string>& texts = m.seen->texts;
      return std::find(texts.begin(), texts.end(), shown(text)) != texts.end();
    });
  };
  const std::vector<std::string> closing{"after", "fence"};
  for (const std::string& text : closing) {
    members[0].say(text);
    run_until([&] { return everyone_has(text); });
    ASSERT_TRUE(everyone_has(text)) << text;
  }
  for (const Member& member : members) {
    EXPECT_THAT(member.seen->closes, IsEmpty());
    std::map<int, int> last;  // of each sender
    for (const std::string& text : member.seen->texts) {
      const auto end = std::find_if(closing.begin(), closing.end(),
                                    [&](const std::string& c) { return text == shown(c); });
      const int got = end == closing.end() ? std::stoi(text.substr(shown("").size() - 2))
                                           : (number + static_cast<int>(end - closing.begin())) * kRoom;
      const auto [before, first] = last.try_emplace(got % kRoom, got);
      EXPECT_TRUE(first || before->second < got) << "twice, or out of order";
      before->second = got;
    }
  }
}

// The connections are cut, and Redis keeps what it had: no ghost of who left meanwhile, nobody twice.
TEST_P(OnRedis, CutConnectionsLeaveNoGhostAndNoDuplicate) {
  Server server(GetParam(), redis_.url());
  std::vector<Member> members;
  for (int i = 0; i < 20; ++i) members.push_back(join(server.url("r")));
  redis_.process().signal(SIGSTOP);  // it hears nothing of this
  members.back().connection->close(1000, "");
  run_until([&] { return !members.back().seen->closes.empty(); });
  members.pop_back();
  redis_.process().signal(SIGCONT);
  for (const char* type : {"normal", "pubsub"}) redis({"CLIENT", "KILL", "TYPE", type, "SKIPME", "yes"});
  run_until([&] { return is_complete("r", 19, 1); });
  // What is said before the server has noticed the cut is lost with its connection: it says "one" until it is
  // heard.
  const auto everyone_ends_with = [&](const std::string& text) {
    return std::all_of(members.begin(), members.end(), [&](const Member& m) {
      return !m.seen->texts.empty() && m.seen->texts.back() == shown(text);
    });
  };
  std::string one;
  for (int n = 0; n < 10 && !everyone_ends_with(one); ++n) {
    members[0].say(one = "one " + std::to_string(n));
    for (int turn = 0; turn < 100 && !everyone_ends_with(one); ++turn) io_.run_one_for(20ms);
  }
  members[0].say("two");
  run_until([&] { return everyone_ends_with("two"); });
  for (const Member& member : members) {
    EXPECT_THAT(std::set<std::string>(member.seen->texts.begin(), member.seen->texts.end()),
                SizeIs(member.seen->texts.size()));
    EXPECT_THAT(member.seen->closes, IsEmpty());
  }
}

TEST_P(OnRedis, TwoNodesAreOneCluster) {
  Server one(GetParam(), redis_.url()), two(GetParam(), redis_.url());
  Member a = join(one.url("r")), b = join(two.url("r")), elsewhere = join(two.url("other"));
  a.say("from one");
  run_until([&] { return a.seen->texts.size() == 1 && b.seen->texts.size() == 1; });
  b.say("from two");
  run_until([&] { return a.seen->texts.size() == 2 && b.seen->texts.size() == 2; });
  EXPECT_THAT(a.seen->texts, ElementsAre(shown("from one"), shown("from two")));
  EXPECT_THAT(b.seen->texts, ElementsAre(shown("from one"), shown("from two")));

  ASSERT_TRUE(one.control().group_send("r", {{"type", "chat_push_message"}, {"message", "push"}}).ok());
  run_until([&] { return a.seen->texts.size() == 3 && b.seen->texts.size() == 3; });
  EXPECT_EQ(b.seen->texts.back(), R"({"message": "push"})");

  // Direct, from the other node: to each channel name that Redis knows, each of which is one connection.
  const std::vector<std::string> names = is_core() ? redis({"ZRANGE", "asgi:group:other", "0", "-1"})
                                                   : redis({"PUBSUB", "CHANNELS", "asgispecific.*"});
  EXPECT_EQ(names.size(), is_core() ? 1u : 3u);
  for (const std::string& name : names)
    ASSERT_TRUE(one.control().channel_send(name, {{"type", "chat_message"}, {"message", "direct"}}).ok());
  run_until([&] { return !elsewhere.seen->texts.empty(); });
  EXPECT_THAT(elsewhere.seen->texts, ElementsAre(kP2 + "direct\"}"));

  // Who leaves on one node is gone for the other.
  b.connection->close(1000, "");
  run_until([&] { return !b.seen->closes.empty() && is_complete("r", 1, 1); });
}

TEST_P(OnRedis, AnOrderlyEndLeavesNothingInRedis) {
  Server server(GetParam(), redis_.url());
  std::vector<Member> members;
  for (const char* route : {"chat", "sync", "json", "async-json"}) {
    members.push_back(join(server.url("r").replace(server.url("r").find("chat"), 4, route)));
  }
  members[0].say("hello");
  run_until([&] {
    return std::all_of(members.begin(), members.end(),
                       [](const Member& m) { return !m.seen->texts.empty(); });
  });
  server.process().signal(SIGTERM);
  run_until([&] {
    return std::all_of(members.begin(), members.end(),
                       [](const Member& m) { return !m.seen->closes.empty(); });
  });
  for (const Member& member : members) EXPECT_THAT(member.seen->closes, ElementsAre(1001));
  EXPECT_EQ(server.process().wait(), 0) << server.process().err();
  EXPECT_THAT(redis({"KEYS", "*"}), IsEmpty());
  EXPECT_THAT(redis({"PUBSUB", "CHANNELS", "*"}), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Layers, OnRedis, testing::Values("redis", "redis-pubsub"), [](const auto& param) {
  return std::string(param.param) == "redis" ? "core" : "pubsub";
});

class OnCore : public OnRedis {};

// --redis-members per-node: a broadcast costs the node one message, however many members it has.
TEST_P(OnCore, OneEntryAGroupAndNode) {
  Server one(GetParam(), redis_.url(), {"--redis-members", "per-node"});
  Server two(GetParam(), redis_.url());
  std::vector<Member> members;
  for (int i = 0; i < 20; ++i) members.push_back(join(one.url("r")));
  members.push_back(join(two.url("r")));
  EXPECT_THAT(redis({"ZRANGE", "asgi:group:r", "0", "-1"}), SizeIs(2)) << "one for each node";
  members[0].say("hello");
  run_until([&] {
    return std::all_of(members.begin(), members.end(),
                       [](const Member& m) { return !m.seen->texts.empty(); });
  });
  const auto names = one.control().members("r");
  ASSERT_TRUE(names.ok());
  EXPECT_THAT(*names, SizeIs(21)) << "the node knows its own connections";
  for (int i = 0; i < 19; ++i) members[static_cast<std::size_t>(i)].connection->close(1000, "");
  run_until([&] { return one.control().members("r")->size() == 2; });
  EXPECT_THAT(redis({"ZRANGE", "asgi:group:r", "0", "-1"}), SizeIs(2));
  members[19].connection->close(1000, "");
  run_until([&] { return redis({"ZRANGE", "asgi:group:r", "0", "-1"}).size() == 1; });
}

INSTANTIATE_TEST_SUITE_P(Core, OnCore, testing::Values("redis"), [](const auto&) { return "core"; });

}  // namespace
}  // namespace roomcheck::reference_server
