#include <gmock/gmock.h>

#include <boost/asio/post.hpp>

#include "libs/websocket/loopback.h"

namespace roomcheck::websocket {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class Limits : public Loopback {};

// Each message that is heard brings the next one, before the reactor looks again.
TEST_F(Limits, APeerThatAlwaysHasMoreLeavesOthersTheirTurn) {
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

TEST_F(Limits, ASlowReaderIsDroppedForAndThenClosed1013WhileOthersGetEverything) {
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

// An open client is not ticked; one that closes is.
TEST_F(Limits, AServerThatDoesNotAnswerACloseIsLeftAfter5Seconds) {
  Opened client = open();
  run_until([later = steady_clock().now() + 600ms] { return steady_clock().now() > later; });  // two ticks
  accepted[0].connection->pause_reading();
  client.connection->close(1000, "");
  run_until([&] { return !client.seen->closes.empty(); });
  EXPECT_THAT(client.seen->closes, ElementsAre(1006));
}

TEST_F(Limits, SilenceIsPingedAndThenEnded) {
  options.idle_timeout = 600ms;
  Opened alive = open();
  Opened dead = open();
  dead.connection->pause_reading();  // answers no ping
  run_until([&] { return server().stats().idle_timeouts == 1; });
  settle();
  EXPECT_THAT(alive.seen->closes, IsEmpty());
  EXPECT_EQ(server().stats().connections, 1u);
}

TEST_F(Limits, BeyondTheConnectionLimitIsA503) {
  options.max_connections = 2;
  Opened a = open();
  Opened b = open();
  Opened c = connect();
  run_until([&] { return !c.seen->failures.empty(); });
  EXPECT_EQ(c.seen->failures[0].status, 503);
  EXPECT_EQ(server().stats().over_connection_limit, 1u);
}

TEST_F(Limits, AnAddressBeyondItsShareIsA429UntilOneOfItsConnectionsEnds) {
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

TEST_F(Limits, AFloodBeyondTheLimitIsClosedUnheardAndTakesNoSeat) {
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

TEST_F(Limits, RequestsThatAreTooLargeOrAmbiguousAreRefusedAndCounted) {
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

TEST_F(Limits, AMessageOfEndlessEmptyFragmentsIsClosed1009) {
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

TEST_F(Limits, AMessageOverTheLimitIsClosed1009) {
  options.max_message_size = 1000;
  Opened client = open();
  client.connection->send_text(std::string(1001, 'x'));
  run_until([&] { return !client.seen->closes.empty(); });
  EXPECT_THAT(client.seen->closes, ElementsAre(1009));
  EXPECT_THAT(accepted[0].seen->texts, IsEmpty());
}

}  // namespace
}  // namespace roomcheck::websocket
