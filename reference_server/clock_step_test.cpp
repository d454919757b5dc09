// The wall clock is stepped, by hours and by days, forwards and back, under the programs while they work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "libs/base/regex.h"
#include "libs/testkit/redis.h"
#include "libs/testkit/stepped_clock.h"
#include "reference_server/hostile_test.h"

namespace roomcheck::reference_server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::chrono::seconds kDay = 24h;

TEST(ClockSteps, EndNoConnectionAndLoseNoMessageAndTimersKeepTheirTime) {
  testkit::SteppedClock clock;
  const Program server({"--handshake-timeout", "1s"}, clock.environment());
  OrdinaryRoom room(server);
  std::uint64_t slow = 0;
  for (const std::chrono::seconds offset : {kDay, -kDay, 30 * kDay, 0 * kDay}) {
    const Socket says_nothing(server.port());
    clock.set_apart(offset);
    server.await("handshake_timeouts_total", ++slow);  // by now whoever looks at the time has looked
    room.advance(50);
  }
  EXPECT_EQ(server.metric("handshake_timeouts_total"), slow);
  for (const char* counter : {"idle_timeouts_total", "slow_readers_closed_total", "layer_expired_total",
                              "layer_dropped_total", "messages_dropped_total"})
    EXPECT_EQ(server.metric(counter), 0u) << counter;
  EXPECT_EQ(room.finish(), "");
}

// Of the site in auth/session_test.cpp.
TEST(ClockSteps, MakeASessionAsOldAsTheWallClockSays) {
  const std::string key = "django-insecure-k#y with spaces & ü/§ 0123456789";
  const std::string cookie =
      "sessionid="
      "eyJfYXV0aF91c2VyX2lkIjoiMSIsIl9hdXRoX3VzZXJfYmFja2VuZCI6ImRqYW5nby5jb250cmliLmF1dGguYmFja2VuZHM"
      "uTW9kZWxCYWNrZW5kIiwiX2F1dGhfdXNlcl9oYXNoIjoiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYW"
      "JhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYiJ9:1xVM4B:zMtd9HnbPFYDu-6O5Z88DtCGe-v5iur1ArefbkYb1Zo";
  const std::chrono::system_clock::time_point signed_at(1795409651s);
  const auto from_now_to_then =
      std::chrono::duration_cast<std::chrono::seconds>(signed_at - std::chrono::system_clock::now());

  testkit::SteppedClock clock;
  const testkit::TemporaryDirectory directory;
  const Program server({"--session-secret", directory.write("key", key)}, clock.environment());
  const auto user = [&](std::chrono::seconds after_login) {
    clock.set_apart(from_now_to_then + after_login);
    const auto client = server.member("/ws/whoami/", {{"Cookie", cookie}});
    EXPECT_TRUE(client->send_text("who?", soon()).ok());
    return client->read_message(soon()).payload;
  };
  EXPECT_THAT(user(1h), HasSubstr("\"user\": 1}"));
  EXPECT_THAT(user(13 * kDay), HasSubstr("\"user\": 1}"));
  EXPECT_THAT(user(15 * kDay), HasSubstr("null"));
  EXPECT_THAT(user(1h), HasSubstr("\"user\": 1}")) << "stepped back: it is young again";
  EXPECT_THAT(user(-1h), HasSubstr("\"user\": 1}")) << "of a machine whose clock is ahead: as Django";
}

// What Redis holds is dated by the wall clock, as channels_redis does it; nothing waits in this room.
TEST(ClockSteps, KeepARoomOnRedisTogether) {
  for (const char* layer : {"redis", "redis-pubsub"}) {
    const testkit::TemporaryRedis redis;
    testkit::SteppedClock clock;
    const Program server({"--layer", layer, "--redis-url", redis.url()}, clock.environment());
    OrdinaryRoom room(server);
    for (const std::chrono::seconds offset : {3600s, -3600s, 0s}) {
      clock.set_apart(offset);
      room.advance(50);
    }
    EXPECT_EQ(room.finish(), "") << layer;
  }
}

TEST(ClockSteps, AreInNoLatencyAndInNoAccountOfLoadgen) {
  const Program server;
  testkit::SteppedClock clock;
  testkit::Process load(
      {testkit::bin_dir() + "/loadgen", "run", "--target", "ws://127.0.0.1:" + std::to_string(server.port()),
       "--clients", "20", "--rooms", "2", "--rate", "50", "--warmup", "0", "--duration", "4s", "--json", "-"},
      clock.environment());
  while (load.err().find("run ") == std::string::npos && !load.wait(1s)) {
  }
  clock.set_apart(-kDay);
  const std::size_t before = load.err().size();
  while (load.err().size() == before && !load.wait(1s)) {
  }
  clock.set_apart(kDay);
  const std::optional<int> code = load.wait();
  ASSERT_THAT(code, testing::AnyOf(0, 4)) << load.err();  // 4: the machine was busy
  const std::string result = load.out();
  for (const char* zero : {"lost", "duplicated", "reordered", "corrupt"})
    EXPECT_THAT(result, testing::ContainsRegex("\"" + std::string(zero) + "\": 0,"));
  const auto times = Regex("\"(min|mean|p50|p99|max|duration)_ns\": (-?\\d+)").all(result);
  for (const Regex::Match& time : times) {
    const std::int64_t ns = std::stoll(time[2]);
    EXPECT_GE(ns, 0) << time[0];
    EXPECT_LT(ns, std::chrono::nanoseconds(kDay / 2).count()) << time[0];
  }
  EXPECT_GT(times.size(), 10u) << result;
}

}  // namespace
}  // namespace roomcheck::reference_server
