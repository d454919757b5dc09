#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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

TEST(Process, EndsWhenTheTestDies) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // the orphan becomes ours to wait for
  const TemporaryDirectory directory;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t test = ::fork();
  ASSERT_GE(test, 0);
  if (test == 0) {
    ::setenv("TMPDIR", directory.path().c_str(), 1);  // what the killed one leaves behind
    Process process({"sh", "-c", "echo up; exec sleep 60"});
    process.wait_for("up");
    const pid_t pid = process.pid();
    (void)!::write(ends[1], &pid, sizeof pid);
    ::raise(SIGKILL);
  }
  pid_t orphan = 0;
  ASSERT_EQ(::read(ends[0], &orphan, sizeof orphan), static_cast<ssize_t>(sizeof orphan));
  int status = 0;
  ASSERT_EQ(::waitpid(test, &status, 0), test);
  ASSERT_EQ(::waitpid(orphan, &status, 0), orphan);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
  for (const int end : ends) ::close(end);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
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
