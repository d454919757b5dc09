#include <gmock/gmock.h>

#include <stdexcept>

#include "libs/base/result.h"
#include "libs/websocket/loopback.h"

namespace roomcheck::websocket {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WebSocket : public Loopback {};

TEST_F(WebSocket, CarriesTextsBothWays) {
  on_server_message = [](Connection& connection, const Message& message) {
    connection.send_text("echo " + std::string(message.payload));
  };
  Opened client = open();
  client.connection->send_text("hello");
  client.connection->send_text("预警");
  run_until([&] { return client.seen->texts.size() == 2; });
  EXPECT_THAT(client.seen->texts, ElementsAre("echo hello", "echo 预警"));
}

TEST_F(WebSocket, CarriesEverySizeAcrossTheLengthForms) {
  on_server_message = [](Connection& connection, const Message& message) {
    connection.send_text(message.payload);
  };
  Opened client = open();
  std::vector<std::string> sent;
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65535u, 65536u, 1u << 20})
    sent.emplace_back(size, 'x');
  for (const std::string& text : sent) client.connection->send_text(text);
  run_until([&] { return client.seen->texts.size() == sent.size(); });
  EXPECT_TRUE(client.seen->texts == sent);
}

TEST_F(WebSocket, TellsWhenTheKernelReceivedAMessageIfAsked) {
  on_server_message = [](Connection& connection, const Message& message) {
    connection.send_text(message.payload);
  };
  for (const bool asked : {false, true}) {
    const auto seen = std::make_shared<Seen>();
    ConnectOptions connect_options;
    connect_options.url = url();
    connect_options.kernel_timestamps = asked;
    Nanoseconds kernel_at{-1}, at{0};
    Client client(io);
    const ConnectionPtr connection =
        client.connect(connect_options, std::make_unique<Recorder>(seen, [&](const Message& message) {
                         kernel_at = message.kernel_at;
                         at = message.at;
                       }));
    run_until([&] { return seen->opened; });
    Nanoseconds sent{0};
    const auto say = [&] {
      sent = steady_clock().now();
      connection->send_text("x");
    };
    say();
    std::size_t answers = 1;
    run_until([&] {
      if (seen->texts.size() < answers) return false;
      if (!asked || kernel_at > 0ns) return true;
      ++answers;  // the kernel begins to take times a moment after the first socket has asked for them
      say();
      return false;
    });
    if (!asked) {
      EXPECT_EQ(kernel_at, 0ns);
    } else {
      EXPECT_GT(kernel_at, sent);
      EXPECT_LE(kernel_at, at);
    }
  }
}

TEST_F(WebSocket, CarriesBinary) {
  on_server_message = [](Connection& connection, const Message& message) {
    connection.send_binary(message.payload);
  };
  Opened client = open();
  client.connection->send_binary(std::string("\0\xff", 2));
  run_until([&] { return !client.seen->binaries.empty(); });
  EXPECT_EQ(client.seen->binaries[0], std::string("\0\xff", 2));
}

TEST_F(WebSocket, WhatIsCorkedLeavesAtUncorkAndInOrder) {
  Opened client = open();
  const ConnectionPtr& member = accepted[0].connection;
  member->cork();
  member->send_text("1");
  member->send_text("2");
  EXPECT_GT(member->unsent_bytes(), 0u);
  member->uncork();
  EXPECT_EQ(member->unsent_bytes(), 0u);  // without a turn of the loop
  member->send_text("3");
  run_until([&] { return client.seen->texts.size() == 3; });
  EXPECT_THAT(client.seen->texts, ElementsAre("1", "2", "3"));
}

TEST_F(WebSocket, ACorkThatTheKernelCannotTakeKeepsWhatIsLeft) {
  options.send_buffer_limit = std::size_t{64} << 20;
  for (const std::size_t size : {std::size_t{3'000}, std::size_t{300'000}}) {  // gathered; queued
    Opened client = open();
    const ConnectionPtr& member = accepted.back().connection;
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < 24'000'000 / (2 * size); ++i) {
      member->cork();
      for (int j = 0; j < 2; ++j)
        member->send_text(sent.emplace_back(size, static_cast<char>('a' + sent.size() % 26)));
      member->uncork();
    }
    EXPECT_GT(member->unsent_bytes(), 0u);  // nobody has read: the kernel is full
    run_until([&] { return client.seen->texts.size() == sent.size(); });
    EXPECT_TRUE(client.seen->texts == sent) << size;
    EXPECT_EQ(member->unsent_bytes(), 0u);
  }
}

TEST_F(WebSocket, ACorkKeepsTheOrderOfSmallAndLarge) {
  Opened client = open();
  const ConnectionPtr& member = accepted[0].connection;
  const std::vector<std::string> sent{
      "1", std::string(20'000, '2'), "3", std::string(9'000, '4'), std::string(9'000, '5'), "6"};
  member->cork();
  for (const std::string& text : sent) member->send_text(text);
  member->uncork();
  run_until([&] { return client.seen->texts.size() == sent.size(); });
  EXPECT_TRUE(client.seen->texts == sent);
}

TEST_F(WebSocket, ACorkedConnectionMayEnd) {
  Opened client = open();
  Opened other = open();
  const ConnectionPtr member = accepted[0].connection;
  member->cork();
  member->send_text("never sent");
  member->abort();
  member->uncork();
  accepted[1].connection->cork();
  accepted[1].connection->send_text("for another");
  accepted[1].connection->uncork();
  run_until([&] { return !client.seen->closes.empty() && !other.seen->texts.empty(); });
  EXPECT_THAT(client.seen->texts, IsEmpty());
  EXPECT_THAT(other.seen->texts, ElementsAre("for another"));
}

TEST_F(WebSocket, WhatIsSentBeforeTheAnswerFollowsThe101) {
  hold = true;
  Opened client = connect();
  run_until([&] { return held.size() == 1; });
  EXPECT_EQ(accepted[0].connection->send_text("early bird"), Connection::Sent::accepted);
  settle();
  EXPECT_FALSE(client.seen->opened);
  held[0]->accept();
  run_until([&] { return client.seen->texts.size() == 1; });
  EXPECT_TRUE(client.seen->opened);
  EXPECT_TRUE(accepted[0].seen->opened);
}

TEST_F(WebSocket, AHandshakeNobodyAnswersIsA500) {
  hold = true;
  Opened client = connect();
  run_until([&] { return held.size() == 1; });
  held.clear();
  run_until([&] { return !client.seen->failures.empty(); });
  EXPECT_EQ(client.seen->failures[0].status, 500);
  run_until([&] { return !accepted[0].seen->closes.empty(); });
}

TEST_F(WebSocket, ARefusalCarriesItsStatusAndTellsTheHandler) {
  hold = true;
  Opened client = connect();
  run_until([&] { return held.size() == 1; });
  held[0]->refuse({403, "no", "text/plain", {}});
  run_until([&] { return !client.seen->failures.empty() && !accepted[0].seen->closes.empty(); });
  EXPECT_EQ(client.seen->failures[0].stage, ConnectFailure::Stage::http);
  EXPECT_EQ(client.seen->failures[0].status, 403);
  EXPECT_THAT(client.seen->closes, IsEmpty());
}

TEST_F(WebSocket, AClientThatGivesUpDuringTheHandshakeIsNoticed) {
  hold = true;
  Opened client = connect();
  run_until([&] { return held.size() == 1; });
  client.connection->abort();
  run_until([&] { return !accepted[0].seen->closes.empty(); });
  held[0]->accept();  // too late, and harmless
  settle();
  EXPECT_EQ(server().stats().upgraded, 0u);
}

TEST_F(WebSocket, ClosesWithCodeAndReasonFromEitherSide) {
  Opened first = open();
  first.connection->close(4001, "bye");
  run_until([&] { return !first.seen->closes.empty() && !accepted[0].seen->closes.empty(); });
  EXPECT_THAT(first.seen->closes, ElementsAre(4001));
  EXPECT_THAT(accepted[0].seen->closes, ElementsAre(4001));
  Opened second = open();
  accepted[1].connection->close(1001, "going away");
  run_until([&] { return !second.seen->closes.empty() && !accepted[1].seen->closes.empty(); });
  EXPECT_THAT(second.seen->closes, ElementsAre(1001));
  EXPECT_EQ(first.connection->send_text("x"), Connection::Sent::closed);
}

TEST_F(WebSocket, AResetIsACloseWithoutFrame) {
  Opened client = open();
  client.connection->abort();
  run_until([&] { return !accepted[0].seen->closes.empty(); });
  EXPECT_THAT(accepted[0].seen->closes, ElementsAre(1006));
  EXPECT_EQ(server().stats().connections, 0u);
}

// The kernel tells of both at once, and once.
TEST_F(WebSocket, TheEndBehindAMessageIsNoticed) {
  options.idle_timeout = 0s;  // no ping finds it
  std::unique_ptr<RawClient> peer = raw_peer();
  ASSERT_NE(peer, nullptr);
  EXPECT_TRUE(peer->send_text("last words", steady_clock().now() + 20s).ok());
  peer.reset();
  run_until([&] { return !accepted[0].seen->closes.empty(); });
  EXPECT_THAT(accepted[0].seen->texts, ElementsAre("last words"));
  EXPECT_THAT(accepted[0].seen->closes, ElementsAre(1006));
}

TEST_F(WebSocket, AHandlerThatThrowsIsClosed1011AndOthersLive) {
  on_server_message = [](Connection& connection, const Message& message) {
    if (message.payload == "boom") throw std::runtime_error("on purpose");
    connection.send_text(message.payload);
  };
  Opened bad = open();
  Opened good = open();
  bad.connection->send_text("boom");
  run_until([&] { return !bad.seen->closes.empty(); });
  EXPECT_THAT(bad.seen->closes, ElementsAre(1011));
  good.connection->send_text("still here");
  run_until([&] { return !good.seen->texts.empty(); });
}

TEST_F(WebSocket, OnePreparedTextReachesHundreds) {
  std::vector<Opened> members;
  for (int i = 0; i < 300; ++i) members.push_back(connect());
  run_until([&] {
    return std::all_of(members.begin(), members.end(), [](const Opened& m) { return m.seen->opened; });
  });
  const PreparedText first("one"), second("two");
  for (const PreparedText& text : {first, second})
    for (const Accepted& member : accepted)
      EXPECT_EQ(member.connection->send(text), Connection::Sent::accepted);
  run_until([&] {
    return std::all_of(members.begin(), members.end(),
                       [](const Opened& m) { return m.seen->texts.size() == 2; });
  });
  for (const Opened& member : members) EXPECT_THAT(member.seen->texts, ElementsAre("one", "two"));
}

TEST_F(WebSocket, ShutDownSaysGoodbyeToAll) {
  Opened a = open();
  Opened b = open();
  bool done = false;
  server().shut_down(1001, 5s, [&] { done = true; });
  run_until([&] { return done; });
  EXPECT_THAT(a.seen->closes, ElementsAre(1001));
  EXPECT_THAT(b.seen->closes, ElementsAre(1001));
}

TEST_F(WebSocket, AcceptsFiveHundredHandshakesAtOnce) {
  std::vector<Opened> all;
  for (int i = 0; i < 500; ++i) all.push_back(connect());
  run_until(
      [&] { return std::all_of(all.begin(), all.end(), [](const Opened& m) { return m.seen->opened; }); });
  EXPECT_EQ(server().stats().connections, 500u);
}

TEST_F(WebSocket, APortInUseSaysSoWithTheRemedy) {
  const std::uint16_t port = server().port();
  try {
    require_free_port("127.0.0.1", port);
    FAIL() << "the port was shared silently";
  } catch (const StartFailure& e) {
    EXPECT_THAT(e.what(), HasSubstr("the port is taken"));
  }
}

TEST_F(WebSocket, AClosedPortAndASilentServerFailWithTheirStage) {
  ConnectOptions nobody;
  {
    boost::asio::io_context other;
    const Server gone(other, options, *this);
    nobody.url = parse_url("ws://127.0.0.1:" + std::to_string(gone.port()));
  }
  Opened refused = connect(nobody);
  hold = true;
  ConnectOptions hurry;
  hurry.url = url();
  hurry.timeout = 1ms;
  Opened silent = connect(hurry);
  EXPECT_THAT(refused.seen->failures, IsEmpty()) << "a handler was called before connect() returned";
  run_until([&] { return !refused.seen->failures.empty() && !silent.seen->failures.empty(); });
  EXPECT_EQ(refused.seen->failures[0].stage, ConnectFailure::Stage::tcp);
  EXPECT_EQ(silent.seen->failures[0].stage, ConnectFailure::Stage::timeout);
}

}  // namespace
}  // namespace roomcheck::websocket
