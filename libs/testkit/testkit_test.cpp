#include <gtest/gtest.h>

#include <csignal>

#include "libs/testkit/manual_clock.h"
#include "libs/testkit/process.h"
#include "libs/testkit/redis.h"

namespace roomcheck::testkit {
namespace {

TEST(Run, TellsExitCodeAndOutput) {
  const Outcome outcome = run({"sh", "-c", "echo hello; echo oops >&2; exit 3"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.out, "hello\n");
  EXPECT_EQ(outcome.err, "oops\n");
  EXPECT_EQ(run({"no-such-program"}).exit_code, 127);
}

TEST(Process, WaitsForALineAndEndsOnASignal) {
  Process process({"sh", "-c", "echo port=42; exec cat /dev/zero > /dev/null"});
  EXPECT_EQ(process.wait_for("port=(\\d+)"), "42");
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(), 128 + SIGTERM);
}

TEST(Process, SaysWhatItPrintedWhenTheLineDoesNotCome) {
  Process process({"sh", "-c", "echo nothing useful"});
  EXPECT_THROW(process.wait_for("port"), std::runtime_error);
}

TEST(Golden, NamesTheFirstLineThatDiffers) {
  const TemporaryDirectory directory;
  directory.write("a.gold", "one\ntwo\n");
  EXPECT_EQ(differs_from_golden(directory.path("a.gold"), "one\ntwo\n"), "");
  EXPECT_NE(differs_from_golden(directory.path("a.gold"), "one\n2\n").find("a.gold:2"), std::string::npos);
  EXPECT_NE(differs_from_golden(directory.path("none.gold"), "one\n"), "");
}

TEST(ManualClock, MovesOnlyByHand) {
  ManualClock clock;
  const Nanoseconds before = clock.now();
  clock.advance(std::chrono::seconds(5));
  EXPECT_EQ(clock.now() - before, std::chrono::seconds(5));
}

TEST(TemporaryRedis, ComesBackEmptyOnTheSamePort) {
  TemporaryRedis redis;
  const auto cli = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"redis-cli", "-p", std::to_string(redis.port())});
    return run(words).out;
  };
  EXPECT_EQ(cli({"SET", "key", "value"}), "OK\n");
  redis.kill();
  redis.start();
  EXPECT_EQ(cli({"GET", "key"}), "\n");
}

}  // namespace
}  // namespace roomcheck::testkit
