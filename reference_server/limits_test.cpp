// The limits that no other hostile test meets, each passed on purpose, while an ordinary room goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <sstream>

#include "libs/testkit/files.h"
#include "reference_server/hostile_test.h"

namespace roomcheck::reference_server {
namespace {

using testing::StartsWith;
using websocket::Received;

// How the server ends what these octets, after a handshake, have begun.
Received end_of(const Program& server, const std::string& octets) {
  const auto client = server.member("/ws/chat/offenders/");
  (void)client->send_bytes(octets, soon());
  return client->read_message(soon());
}

TEST(Limits, RequestsThatAreTooLongOrMalformedAreAnsweredAndCounted) {
  Program server;
  OrdinaryRoom room(server);
  const std::string get = "GET /ws/chat/r/ HTTP/1.1\r\nHost: x\r\n";
  EXPECT_THAT(server.exchange(get + "X: " + std::string(17'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(server.exchange("GET /" + std::string(17'000, 'x')), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(server.exchange(get + "Content-Length: 65537\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_EQ(server.metric("too_large_requests_total"), 3u);
  EXPECT_THAT(server.exchange("\r\n\x16\x03\x01 not HTTP\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(server.exchange(get + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 501"));
  EXPECT_EQ(server.metric("bad_requests_total"), 2u);
  EXPECT_THAT(server.exchange(upgrade("/ws/no-such-route/")), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(server.exchange(get + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
              StartsWith("HTTP/1.1 4"));
  EXPECT_EQ(server.metric("handshakes_refused_total"), 2u);
  EXPECT_EQ(room.finish(), "");
}

TEST(Limits, MessagesAndTheirFragmentsEndAtTheirSize) {
  Program server({"--max-message-size", "64KiB"});
  OrdinaryRoom room(server);
  const auto witness = server.member("/ws/chat/wide/");
  ASSERT_TRUE(witness->send_text(R"({"msg": ")" + std::string(65'536 - 11, 'x') + "\"}", soon()).ok());
  const Received whole = witness->read_message(soon());
  EXPECT_EQ(whole.kind, Received::Kind::text)
      << whole.code << whole.payload << ": it was as large as it may be";
  std::string empty_fragments = encoded(frame(1, "", false)), full_fragments = empty_fragments;
  for (int i = 0; i < 40'000; ++i) empty_fragments += encoded(frame(0, "", false));
  for (int i = 0; i < 9; ++i) full_fragments += encoded(frame(0, std::string(8192, 'x'), false));
  for (const std::string& octets :
       {encoded(frame(2, std::string(65'537, 'x'))), full_fragments, empty_fragments}) {
    const Received end = end_of(server, octets);
    EXPECT_EQ(end.kind, Received::Kind::close);
    EXPECT_EQ(end.code, 1009);
  }
  EXPECT_EQ(server.metric("too_large_messages_total"), 3u);
  EXPECT_EQ(room.finish(), "");
}

TEST(Limits, DeepJsonIsABadMessage) {
  Program server;
  OrdinaryRoom room(server);
  for (const std::size_t depth : {600u, 200'000u}) {
    const Received end = end_of(
        server, encoded(frame(1, R"({"msg": )" + std::string(depth, '[') + std::string(depth, ']') + "}")));
    EXPECT_EQ(end.kind, Received::Kind::close);
    EXPECT_EQ(end.code, 1011);
  }
  EXPECT_EQ(server.metric("bad_messages_total"), 2u);
  EXPECT_EQ(room.finish(), "");
}

TEST(Limits, WhoDoesNotFinishTheClosingIsEndedAllTheSame) {
  Program server;
  OrdinaryRoom room(server);
  constexpr std::size_t kSilent = 50;
  std::vector<Socket> silent, lasting;
  for (std::size_t i = 0; i < kSilent; ++i) {
    silent.emplace_back(server.port());  // never answers a close frame
    silent.back().say(upgrade("/ws/chat/silent/") + encoded(frame(1, "not JSON")));
    lasting.emplace_back(server.port());  // and this one never ends TCP
    lasting.back().say(upgrade("/ws/chat/lasting/") + encoded(frame(8, "\x03\xe8")));
  }
  server.await("bad_messages_total", kSilent);
  server.await_below("connections", OrdinaryRoom::kMembers + 1);
  EXPECT_EQ(server.metric("close_timeouts_total"), 2 * kSilent);
  EXPECT_EQ(room.finish(), "");
}

TEST(Limits, RoomsComeAndGoWithTheirMembers) {
  Program server;
  OrdinaryRoom room(server);
  {
    std::vector<Socket> loners;
    for (int i = 0; i < 200; ++i) {
      loners.emplace_back(server.port());
      loners.back().say(upgrade("/ws/chat/room" + std::to_string(i) + "/"));
    }
    server.await("layer_groups", loners.size() + 1);
  }
  server.await_below("layer_groups", 2);  // the ordinary one stays
  EXPECT_EQ(room.finish(), "");
}

// By real Django, for a site with the key "key": a login, one of three weeks ago, and one that unpacks to a
// MB.
std::vector<std::string> django_sessions() {
  const testkit::Outcome made =
      testkit::run({"/usr/bin/python3", "-c",
                    "import time\n"
                    "from django.conf import settings\n"
                    "settings.configure(SECRET_KEY='key')\n"
                    "from django.core import signing\n"
                    "def session(more):\n"
                    "  login = {'_auth_user_id': '7', '_auth_user_backend': 'b', **more}\n"
                    "  salt = 'django.contrib.sessions.backends.signed_cookies'\n"
                    "  return signing.dumps(login, salt=salt, compress=True)\n"
                    "print(session({}), session({'x': 'x' * 1000000}))\n"
                    "now = time.time()\n"
                    "time.time = lambda: now - 21 * 24 * 3600\n"
                    "print(session({}))\n"});
  std::istringstream words(made.out);
  return {std::istream_iterator<std::string>(words), {}};
}

TEST(Limits, SessionCookiesOfNobodyAreAnonymousAndCountedByWhatIsWrong) {
  const testkit::TemporaryDirectory directory;
  Program server({"--session-secret", directory.write("key", "key"), "--threads", "2"});
  OrdinaryRoom room(server);
  const auto user = [&](const std::string& session) {
    const auto client = server.member("/ws/whoami/", {{"Cookie", "sessionid=" + session}});
    EXPECT_TRUE(client->send_text("who?", soon()).ok());
    return client->read_message(soon()).payload;
  };
  const std::vector<std::string> sessions = django_sessions();
  ASSERT_EQ(sessions.size(), 3u);
  EXPECT_EQ(user(sessions[0]), R"({"user": 7})");
  for (const std::string& nobody :
       {sessions[1], std::string(5000, 'x'), sessions[2], std::string("forged:1xVM4B:x")})
    for (int i = 0; i < 5; ++i) EXPECT_EQ(user(nobody), R"({"user": null})") << nobody;
  EXPECT_EQ(server.metric("too_large_sessions_total"), 10u);
  EXPECT_EQ(server.metric("expired_sessions_total"), 5u);
  EXPECT_EQ(server.metric("bad_sessions_total"), 5u);
  EXPECT_EQ(room.finish(), "");
}

TEST(Limits, ChannelsThatNobodyReadsKeepFewMessagesAndNotForLong) {
  Program server({"--capacity", "10", "--expiry", "1s"});
  OrdinaryRoom room(server);
  const auto send = [&] {
    return server.control("POST", "/channels/nobody/send", R"({"type": "x"})").status;
  };
  int status = 0;
  for (int sent = 0; sent < 1000 && status != 503; ++sent) status = send();  // a slow machine: they expire
  EXPECT_EQ(status, 503) << "ChannelFull";
  for (const Nanoseconds limit = soon(); server.metric("layer_expired_total") == 0; (void)send())
    ASSERT_LT(steady_clock().now(), limit) << "nothing expires";
  EXPECT_EQ(room.finish(), "");
}

// A thread that is there, idle or not, makes each delivery of the others dearer: docs/PERFORMANCE.md.
TEST(Limits, TheFirstSyncConsumerStartsThePool) {
  Program server({"--threads", "1"});
  const auto threads = [&] {
    const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(server.process().pid()) +
                                                    "/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const auto async = server.member("/ws/chat/r/");
  EXPECT_EQ(threads(), 1);
  const auto sync = server.member("/ws/sync/r/");
  const auto another = server.member("/ws/json/r/");
  EXPECT_EQ(threads(), 9);
}

}  // namespace
}  // namespace roomcheck::reference_server
