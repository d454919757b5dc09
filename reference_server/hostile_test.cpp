// Peers that mean harm, against the program; meanwhile the members of an ordinary room get every message
// exactly once, in order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "libs/program/limits.h"
#include "reference_server/hostile_test.h"

namespace roomcheck::reference_server {
namespace {

using testing::HasSubstr;
using testing::Not;
using websocket::Received;

// "By the thousand", as far as the open files of this process allow (the server has as many of its own).
std::size_t a_thousand() { return std::min<std::size_t>(1000, (raise_open_file_limit() - 100) / 2); }

std::vector<Socket> sockets(const Program& server, std::size_t count, const std::string& say = "") {
  std::vector<Socket> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.emplace_back(server.port());
    out.back().say(say);
  }
  return out;
}

// The positive control of all that follows.
TEST(Hostile, TheOrdinaryRoomNoticesADuplicate) {
  Program server({"--mutant", "duplicate=100"});
  OrdinaryRoom room(server);
  room.advance(50);
  EXPECT_THAT(room.finish(), HasSubstr("instead of message"));
}

TEST(Hostile, SlowHandshakesByTheThousandRunIntoTheirTimeout) {
  Program server({"--handshake-timeout", "1s"});
  OrdinaryRoom room(server);
  const std::size_t count = a_thousand();
  const std::vector<Socket> slow = sockets(server, count, "GET /ws/chat/r/ HTTP/1.1\r\nHo");
  room.advance(10);
  server.await("handshake_timeouts_total", count);
  EXPECT_EQ(room.finish(), "");
}

TEST(Hostile, SlowReadersByTheThousandAreDroppedForAndClosed) {
  Program server({"--send-buffer-limit", "64KiB"});
  OrdinaryRoom room(server);
  const std::size_t count = a_thousand();
  const std::vector<Socket> slow = sockets(server, count, upgrade("/ws/chat/flooded/"));
  server.await("connections", count + OrdinaryRoom::kMembers);
  const std::string event = R"({"type": "chat_push_message", "message": ")" + std::string(60000, 'x') + "\"}";
  // Until even the kernel's buffers are full; then none of them gets anything any more.
  while (server.metric("messages_dropped_total") < count)
    ASSERT_EQ(server.control("POST", "/groups/flooded/send", event).status, 200);
  room.advance(10);
  server.await("slow_readers_closed_total", count);
  EXPECT_EQ(room.finish(), "");
}

TEST(Hostile, AFloodOfConnectsBeyondTheLimitIsCountedAndHarmsNoMember) {
  Program server({"--threads", "1", "--max-connections", "20"});
  OrdinaryRoom room(server);
  const std::size_t before = server.metric("connections_over_limit_total");
  for (int round = 0; round < 20; ++round) {
    const std::vector<Socket> flood = sockets(server, 100);
    room.advance(1);
  }
  room.advance(10);
  EXPECT_GT(server.metric("connections_over_limit_total"), before);
  EXPECT_EQ(room.finish(), "");
}

TEST(Hostile, OneAddressGetsItsShareAndNoMore) {
  Program server({"--max-connections-per-address", "8"});
  OrdinaryRoom room(server);
  auto sixth = server.member("/ws/chat/r/"), seventh = server.member("/ws/chat/r/");
  auto eighth = server.member("/ws/chat/r/");
  EXPECT_EQ(server.connect()->handshake({}, soon()).status, 429);
  sixth->reset();
  seventh->reset();
  eighth->reset();
  // Whoever asks comes from the same address, and waits for one of their seats.
  std::string metrics;
  for (const Nanoseconds end = soon(); metrics.find("roomcheck_") == metrics.npos;) {
    ASSERT_LT(steady_clock().now(), end) << metrics;
    metrics = server.exchange("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  EXPECT_THAT(metrics, testing::ContainsRegex("roomcheck_connections_over_address_limit_total [1-9]"));
  room.advance(10);
  EXPECT_EQ(room.finish(), "");
}

TEST(Hostile, PingsWithoutReadingAndOneByteFragmentsStopNobody) {
  Program server({"--send-buffer-limit", "256KiB"});
  OrdinaryRoom room(server);
  auto witness = server.member("/ws/chat/attacked/"), attacker = server.member("/ws/chat/attacked/");
  const std::string ping = encoded(frame(9, std::string(125, 'p')));
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += ping;
  for (const Nanoseconds limit = soon(); server.metric("pings_unanswered_total") == 0;) {
    ASSERT_LT(steady_clock().now(), limit) << "every pong waits to be read";
    ASSERT_TRUE(attacker->send_bytes(pings, soon()).ok());
  }
  const std::string text = R"({"msg": ")" + std::string(20000, 'f') + "\"}";
  std::string fragments;
  for (std::size_t i = 0; i < text.size(); ++i)
    fragments += encoded(frame(i == 0 ? 1 : 0, text.substr(i, 1), i + 1 == text.size()));
  ASSERT_TRUE(attacker->send_bytes(fragments, soon()).ok());
  const Received got = witness->read_message(soon());
  EXPECT_EQ(got.payload, R"({"message": ")" + kPrefixes + std::string(20000, 'f') + "\"}");
  room.advance(10);
  EXPECT_EQ(room.finish(), "");
}

TEST(Hostile, HalfOpenPeersAreEndedByTheIdleTime) {
  Program server({"--idle-timeout", "3s"});
  OrdinaryRoom room(server);
  const std::size_t count = std::min<std::size_t>(200, a_thousand());
  const std::vector<Socket> dead = sockets(server, count, upgrade("/ws/chat/r/"));  // they answer no ping
  server.await("idle_timeouts_total", count);
  room.advance(10);
  EXPECT_EQ(server.metric("idle_timeouts_total"), count);
  EXPECT_EQ(room.finish(), "");
}

TEST(Hostile, EveryMalformedFrameEndsItsConnectionAndNobodyElses) {
  Program server;
  OrdinaryRoom room(server);
  RawFrame unmasked = frame(1, "x"), rsv = frame(1, "x"), longer = frame(1, "x"), top_bit = frame(1, "x");
  RawFrame huge = frame(1, "x"), over = frame(2, "x");
  unmasked.masked = false;
  rsv.rsv = 4;
  longer.length_bytes = 8;
  top_bit.declared_length = 1ULL << 63;
  huge.declared_length = 1ULL << 62;
  over.declared_length = (16u << 20) + 1;
  const struct {
    const char* what;
    std::string octets;
    std::vector<int> codes;
  } kOffences[] = {
      {"no mask", encoded(unmasked), {1002}},
      {"reserved bit", encoded(rsv), {1002}},
      {"reserved opcode", encoded(frame(3, "x")), {1002}},
      {"reserved control opcode", encoded(frame(11, "x")), {1002}},
      {"a length not in its shortest form", encoded(longer), {1002}},
      {"a 64-bit length with its top bit set", encoded(top_bit), {1002, 1009}},
      {"a 62-bit length", encoded(huge), {1009}},
      {"one octet over the limit, declared", encoded(over), {1009}},
      {"a continuation of nothing", encoded(frame(0, "x")), {1002}},
      {"a message inside another", encoded(frame(1, "a", false)) + encoded(frame(1, "b")), {1002}},
      {"a fragmented ping", encoded(frame(9, "x", false)), {1002}},
      {"a ping of 126 octets", encoded(frame(9, std::string(126, 'x'))), {1002}},
      {"a close frame of one octet", encoded(frame(8, "\x03")), {1002}},
      {"a close code that nobody may send", encoded(frame(8, std::string("\x03\xed", 2))), {1002}},
      {"a close reason that is no UTF-8", encoded(frame(8, std::string("\x03\xe8\xff", 3))), {1002, 1007}},
      {"a text that is no UTF-8", encoded(frame(1, "\xc0\xaf")), {1007}},
      {"a surrogate", encoded(frame(1, "\xed\xa0\x80")), {1007}},
      {"a text that ends in a character", encoded(frame(1, "\xe8\xad")), {1007}},
      {"fragments that are no UTF-8", encoded(frame(1, "\xe8", false)) + encoded(frame(0, "\xff")), {1007}},
  };
  for (const auto& [what, octets, codes] : kOffences) {
    auto offender = server.member(OrdinaryRoom::kPath);
    ASSERT_TRUE(offender->send_bytes(octets, soon()).ok());
    Received end = offender->read_message(soon());
    while (end.kind == Received::Kind::text) end = offender->read_message(soon());  // the room goes on
    EXPECT_EQ(end.kind, Received::Kind::close) << what;
    EXPECT_THAT(codes, testing::Contains(end.code)) << what;
  }
  server.await_below("connections", OrdinaryRoom::kMembers + 1);
  room.advance(10);
  EXPECT_EQ(server.metric("protocol_errors_total") + server.metric("too_large_messages_total"),
            std::size(kOffences));
  EXPECT_GE(server.metric("too_large_messages_total"), 2u);
  EXPECT_EQ(room.finish(), "");
}

TEST(Hostile, NoNameOfARoomReachesTheHeaders) {
  Program server;
  OrdinaryRoom room(server);
  for (const char* path : {"/ws/chat/a%0d%0aX-Evil:%201/", "/ws/chat/a\nX-Evil: 1/", "/ws/chat/%00/",
                           "/ws/chat/a%2F..%2F/", "/a%0d%0aX-Evil:%201"}) {
    const std::string all = server.exchange(upgrade(path));
    EXPECT_THAT(all, testing::StartsWith("HTTP/1.1 4")) << path;
    EXPECT_THAT(all, Not(HasSubstr("X-Evil"))) << path;
  }
  EXPECT_EQ(room.finish(), "");
}

TEST(Hostile, OneRequestIsOneAnswerWhateverFollowsIt) {
  Program server;
  OrdinaryRoom room(server);
  const std::string get = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
  const std::string hidden = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::pair<std::string, const char*> kCases[] = {
      {get + "\r\n" + hidden, "200"},
      {get + "Content-Length: " + std::to_string(hidden.size()) + "\r\n\r\n" + hidden, "200"},
      {get + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, "400"},
      {get + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, "501"},
      {get + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden, "501"},
      {get + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + hidden, "400"},
      {get + "Content-Length: 5 5\r\n\r\n12345" + hidden, "400"},
      {get + "Content-Length: 0x5\r\n\r\n12345" + hidden, "400"},
      {upgrade("/ws/chat/") + hidden, "101"},  // frames from here on, and bad ones
  };
  for (const auto& [octets, status] : kCases) {
    const std::string all = server.exchange(octets);
    EXPECT_THAT(all, testing::StartsWith(std::string("HTTP/1.1 ") + status)) << octets;
    EXPECT_EQ(all.find("HTTP/1.1", 1), all.npos) << "a second answer to\n" << octets;
    EXPECT_THAT(all, Not(HasSubstr("roomcheck_"))) << octets;
  }
  EXPECT_EQ(room.finish(), "");
}

TEST(Hostile, TheControlApiTakesNoAbuse) {
  Program server({"--control-token", "sesame", "--max-control-body", "64KiB"});
  OrdinaryRoom room(server);
  const std::string event = R"({"type": "chat_push_message", "message": "x"})";
  const auto status = [&](const std::string& path, const std::string& body, const std::string& token) {
    return server.control("POST", path, body, token).status;
  };
  EXPECT_EQ(status("/groups/r/send", event, "sesame"), 200);
  EXPECT_EQ(status("/groups/r/send", event, "sesamE"), 401);
  EXPECT_EQ(status("/groups/r/send", event, ""), 401);
  EXPECT_EQ(status("/groups/r/send", event, "sesame, Bearer sesame"), 401);
  EXPECT_EQ(server.metric("control_unauthorized_total"), 3u);

  const std::string deep = R"({"type": "x", "y": )" + std::string(20000, '[') + std::string(20000, ']') + "}";
  for (const std::string& body : {deep, std::string("["), std::string("[]"), std::string("{}"),
                                  std::string("\xff"), std::string(R"({"type": "x"} {})"), std::string()})
    EXPECT_EQ(status("/groups/r/send", body, "sesame"), 400) << body.substr(0, 40);
  EXPECT_EQ(server.metric("control_bad_requests_total"), 7u);
  EXPECT_EQ(status("/groups/r/send", std::string(64 * 1024 + 1, 'x'), "sesame"), 413);
  EXPECT_EQ(server.metric("control_too_large_requests_total"), 1u);

  for (const char* name : {"a%2Fb", "a%0d%0aX:%201", "%00", "%ff", "%E6%88%BF"})
    EXPECT_EQ(status(std::string("/groups/") + name + "/send", event, "sesame"), 400) << name;
  EXPECT_EQ(status("/groups/" + std::string(2000, 'x') + "/send", event, "sesame"), 400);
  for (const char* path : {"/groups/../stats", "/groups//send", "/groups/a/b/send", "/", "/groups/a%2Fb"})
    EXPECT_THAT(status(path, event, "sesame"), testing::AnyOf(400, 404)) << path;
  EXPECT_EQ(server.control("GET", "/groups/r/send", "", "sesame").status, 405);
  // Never on the port that everybody reaches.
  EXPECT_THAT(server.exchange("GET /stats HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sesame\r\n\r\n"),
              testing::StartsWith("HTTP/1.1 404"));
  room.advance(10);
  EXPECT_EQ(room.finish(), "");
}

TEST(Hostile, WhoHoldsTheControlPortHoldsNothingElse) {
  Program server;
  OrdinaryRoom room(server);
  {
    std::vector<Socket> silent;
    for (int i = 0; i < 300; ++i) silent.emplace_back(server.control_port());
    server.await("control_connections_over_limit_total", 1);
    room.advance(10);
    server.await("control_timeouts_total", 256);
  }
  EXPECT_EQ(server.control("GET", "/stats", "").status, 200);
  EXPECT_EQ(room.finish(), "");
}

}  // namespace
}  // namespace roomcheck::reference_server
