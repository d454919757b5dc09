#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <stdexcept>
#include <thread>

#include "libs/base/result.h"
#include "libs/websocket/loopback.h"
#include "libs/websocket/raw_client.h"

namespace roomcheck::websocket {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WebSocket : public Loopback {
 protected:
  // Runs a peer that lies on the wire, in a thread of its own: its calls block.
  void against(const std::function<void(RawClient&, Nanoseconds deadline)>& steps) {
    std::atomic<bool> done{false};
    std::thread peer([&, to = url()] {
      const Nanoseconds deadline = steady_clock().now() + 20s;
      const auto client = RawClient::connect(to, deadline);
      if (client.ok()) steps(**client, deadline);
      done = true;
    });
    run_until([&] { return done.load(); });
    peer.join();
  }

  // An open connection whose other end the test is. nullptr: it did not open.
  std::unique_ptr<RawClient> raw_peer() {
    std::unique_ptr<RawClient> out;
    std::atomic<bool> done{false};
    std::thread connecting([&, to = url()] {
      const Nanoseconds deadline = steady_clock().now() + 20s;
      auto client = RawClient::connect(to, deadline);
      if (client.ok() && (*client)->handshake({}, deadline).status == 101) out = std::move(*client);
      done = true;
    });
    run_until([&] { return done.load(); });
    connecting.join();
    return out;
  }
};

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

// Each message that is heard brings the next one, before the reactor looks again.
TEST_F(WebSocket, APeerThatAlwaysHasMoreLeavesOthersTheirTurn) {
  const std::unique_ptr<RawClient> peer = raw_peer();
  ASSERT_NE(peer, nullptr);
  constexpr int kMost = 1000;
  int heard = 0, heard_before_others = 0;
  on_server_message = [&](Connection&, const Message&) {
    if (++heard == 1) boost::asio::post(io, [&] { heard_before_others = heard; });
    if (heard < kMost) (void)peer->send_text("more", steady_clock().now() + 20s);
  };
  EXPECT_TRUE(peer->send_text("one", steady_clock().now() + 20s).ok());
  run_until([&] { return heard == kMost && heard_before_others > 0; });
  EXPECT_LE(heard_before_others, 32);
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

TEST_F(WebSocket, ASlowReaderIsDroppedForAndThenClosed1013WhileOthersGetEverything) {
  options.send_buffer_limit = 256 * 1024;
  options.over_limit_time = 1ms;
  Opened slow = open();
  Opened quick = open();
  slow.connection->pause_reading();
  const PreparedText text(std::string(64 * 1024, 'x'));
  for (std::size_t sent = 1; accepted[0].connection->dropped() == 0; ++sent) {
    ASSERT_LT(sent, 2000u) << "a reader that does not read was never dropped for";
    accepted[0].connection->send(text);
    ASSERT_EQ(accepted[1].connection->send(text), Connection::Sent::accepted);
    run_until([&] { return quick.seen->texts.size() == sent; });
  }
  EXPECT_LE(accepted[0].connection->unsent_bytes(), options.send_buffer_limit);
  run_until([&] { return !accepted[0].seen->closes.empty() || server().stats().over_limit_closes == 1; });
  slow.connection->resume_reading();
  run_until([&] { return !slow.seen->closes.empty(); });
  EXPECT_THAT(slow.seen->closes, ElementsAre(1013));
}

TEST_F(WebSocket, SilenceIsPingedAndThenEnded) {
  options.idle_timeout = 600ms;
  Opened alive = open();
  Opened dead = open();
  dead.connection->pause_reading();  // answers no ping
  run_until([&] { return server().stats().idle_timeouts == 1; });
  settle();
  EXPECT_THAT(alive.seen->closes, IsEmpty());
  EXPECT_EQ(server().stats().connections, 1u);
}

TEST_F(WebSocket, BeyondTheConnectionLimitIsA503) {
  options.max_connections = 2;
  Opened a = open();
  Opened b = open();
  Opened c = connect();
  run_until([&] { return !c.seen->failures.empty(); });
  EXPECT_EQ(c.seen->failures[0].status, 503);
  EXPECT_EQ(server().stats().over_connection_limit, 1u);
}

TEST_F(WebSocket, AnAddressBeyondItsShareIsA429UntilOneOfItsConnectionsEnds) {
  options.address_limit = std::make_shared<AddressLimit>(2);
  Opened a = open();
  Opened b = open();
  Opened c = connect();
  run_until([&] { return !c.seen->failures.empty(); });
  EXPECT_EQ(c.seen->failures[0].status, 429);
  EXPECT_EQ(server().stats().over_address_limit, 1u);
  a.connection->abort();
  run_until([&] { return server().stats().connections == 1; });
  EXPECT_TRUE(open().seen->opened);
}

TEST_F(WebSocket, AFloodBeyondTheLimitIsClosedUnheardAndTakesNoSeat) {
  options.max_connections = 1;
  Opened a = open();
  std::vector<Opened> flood;
  for (int i = 0; i < 300; ++i) flood.push_back(connect());
  run_until([&] {
    return std::all_of(flood.begin(), flood.end(), [](const Opened& o) { return !o.seen->failures.empty(); });
  });
  EXPECT_EQ(server().stats().over_connection_limit, 300u);
  a.connection->abort();
  run_until([&] { return server().stats().connections == 0; });
  EXPECT_TRUE(open().seen->opened);
}

TEST_F(WebSocket, RequestsThatAreTooLargeOrAmbiguousAreRefusedAndCounted) {
  options.max_http_body = 1000;
  const struct {
    std::string octets;
    int status;
  } kCases[] = {
      {"GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20000, 'x') + "\r\n\r\n", 431},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\nxx", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
      {"nonsense\r\n\r\n", 400},
  };
  for (const auto& [octets, status] : kCases) {
    int got = 0;
    against([&](RawClient& client, Nanoseconds deadline) {
      (void)client.send_bytes(octets, deadline);
      got = client.read_response(deadline).status;
    });
    EXPECT_EQ(got, status) << octets.substr(0, 120);
  }
  EXPECT_EQ(server().stats().too_large_requests, 3u);
  EXPECT_EQ(server().stats().bad_requests, 5u);
}

TEST_F(WebSocket, AMessageOfEndlessEmptyFragmentsIsClosed1009) {
  options.max_message_size = 1000;
  Received end;
  against([&](RawClient& client, Nanoseconds deadline) {
    ASSERT_EQ(client.handshake({}, deadline).status, 101);
    RawFrame frame;
    frame.fin = false;
    std::string flood = RawClient::encode(frame);
    frame.opcode = 0;
    for (int i = 0; i < 20000; ++i) flood += RawClient::encode(frame);
    (void)client.send_bytes(flood, deadline);
    end = client.read_message(deadline);
  });
  EXPECT_EQ(end.kind, Received::Kind::close);
  EXPECT_EQ(end.code, 1009);
  EXPECT_EQ(server().stats().too_large_messages, 1u);
}

TEST_F(WebSocket, AMessageOverTheLimitIsClosed1009) {
  options.max_message_size = 1000;
  Opened client = open();
  client.connection->send_text(std::string(1001, 'x'));
  run_until([&] { return !client.seen->closes.empty(); });
  EXPECT_THAT(client.seen->closes, ElementsAre(1009));
  EXPECT_THAT(accepted[0].seen->texts, IsEmpty());
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
