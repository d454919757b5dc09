// What fails around the server and its judges: descriptors, the disk, a node that is killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "libs/testkit/redis.h"
#include "reference_server/hostile_test.h"

namespace roomcheck::reference_server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testkit::Outcome;

// A program whose limits the shell has lowered first.
Outcome run_under(const std::string& ulimit, const std::string& command) {
  return testkit::run(
      {"/bin/sh", "-c", "ulimit " + ulimit + " && exec " + testkit::bin_dir() + "/" + command});
}

std::size_t open_descriptors(pid_t pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// To those there are and so many more.
void limit_descriptors(pid_t pid, int more) {
  rlimit limit{};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = open_descriptors(pid) + static_cast<rlim_t>(more);
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);
}

TEST(Faults, WithoutDescriptorsTheRoomGoesOnAndNewcomersWait) {
  Program server({"--threads", "1"});
  OrdinaryRoom room(server);
  const pid_t pid = server.process().pid();
  limit_descriptors(pid, 10);
  {
    std::vector<Socket> flood;
    for (int i = 0; i < 50; ++i) flood.emplace_back(server.port());
    for (const Nanoseconds end = soon(); server.process().err().find("cannot accept") == std::string::npos;) {
      ASSERT_LT(steady_clock().now(), end) << "it never ran out of descriptors";
      ASSERT_EQ(server.process().wait(std::chrono::seconds(0)), std::nullopt) << server.process().err();
      room.advance(1);
    }
    room.advance(10);
  }
  EXPECT_GT(server.metric("accept_pauses_total"), 0u);  // it serves newcomers again
  EXPECT_THAT(server.process().err(), HasSubstr("raise ulimit -n"));
  (void)server.member("/ws/chat/r/");
  EXPECT_EQ(room.finish(), "");
}

TEST(Faults, ProgramsThatNeedMoreDescriptorsThanThereAreSaySoWithTheRemedy) {
  for (const char* command :
       {"reference_server --listen 127.0.0.1:0 --control off --max-connections 500",
        "loadgen run --target ws://127.0.0.1:1 --clients 500", "conformance --target ws://127.0.0.1:1"}) {
    const Outcome outcome = run_under("-n 100", command);
    EXPECT_EQ(outcome.exit_code, 2) << command;
    EXPECT_THAT(outcome.err, HasSubstr("ulimit -Hn")) << command;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST(Faults, ResultsThatDoNotFitTheDiskAreSaidAndTheOldOnesStay) {
  const Program server;
  const testkit::TemporaryDirectory directory;
  const std::string file = directory.write("result.json", "the old one");
  const std::string target = " --target ws://127.0.0.1:" + std::to_string(server.port()) + " --json " + file;
  for (const std::string& command :
       {"loadgen run --clients 5 --rooms 1 --rate 20 --duration 500ms --warmup 0" + target,
        "conformance --filter 'echo.*'" + target}) {
    // Of 512 octets, or 1024: less than any result.
    const Outcome outcome = run_under("-f 1", command + " >/dev/null");
    EXPECT_EQ(outcome.exit_code, 3) << command << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("cannot write " + file)) << command;
    EXPECT_EQ(testkit::slurp(file), "the old one");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1) << "litter";
  }
}

// A limit that is lowered in the run, as an operator may: no verdict blames the target for it.
TEST(Faults, DescriptorsThatRunOutInConformanceAreItsOwnFault) {
  const Program server;
  const testkit::TemporaryDirectory directory;
  const std::string file = directory.path("result.json");
  testkit::Process judge({testkit::bin_dir() + "/conformance", "--target",
                          "ws://127.0.0.1:" + std::to_string(server.port()), "--filter", "broadcast.*",
                          "--jobs", "1", "--repeat", "3", "--json", file});
  (void)judge.wait_for("pass +broadcast");
  limit_descriptors(judge.pid(), 1);
  EXPECT_EQ(judge.wait(), 3) << judge.out() << judge.err();
  const std::string result = testkit::slurp(file);
  EXPECT_THAT(result, HasSubstr("cannot open a socket: Too many open files; raise ulimit -n"));
  EXPECT_THAT(result, Not(HasSubstr("\"verdict\": \"fail\""))) << judge.out();
  EXPECT_THAT(result, Not(HasSubstr("\"verdict\": \"crash\""))) << judge.out();
}

TEST(Faults, DescriptorsThatRunOutInLoadgenAreCountedAndTheRunComesToItsEnd) {
  const Program server;
  testkit::Process load({testkit::bin_dir() + "/loadgen",
                         "run",
                         "--target",
                         "ws://127.0.0.1:" + std::to_string(server.port()),
                         "--workload",
                         "churn",
                         "--stay",
                         "100ms",
                         "--clients",
                         "20",
                         "--rooms",
                         "2",
                         "--rate",
                         "20",
                         "--warmup",
                         "0",
                         "--duration",
                         "3s",
                         "--threshold",
                         "connections.failed==0",
                         "--json",
                         "-"});
  while (load.err().find("run ") == std::string::npos && !load.wait(std::chrono::seconds(1))) {
  }
  limit_descriptors(load.pid(), -10);  // of those who leave, half cannot come back
  EXPECT_THAT(load.wait(), testing::Optional(testing::AnyOf(1, 3, 4))) << load.err();
  EXPECT_THAT(load.out(), HasSubstr("Too many open files"));
  EXPECT_THAT(load.out(), testing::ContainsRegex("\"delivered\": [1-9]"));
}

// A disk of its own, of two pages, in a name space of its own (where that is allowed).
TEST(Faults, ADiskThatIsFullKeepsTheOldResult) {
  const testkit::TemporaryDirectory directory;
  const std::string disk = directory.path();
  const std::string inside = "mount -t tmpfs -o size=8k tmpfs " + disk + " && ";
  if (testkit::run({"unshare", "-rm", "/bin/sh", "-c", inside + "true"}).exit_code != 0)
    GTEST_SKIP() << "no user name spaces here";
  const Program server;
  const std::string target = testkit::bin_dir() +
                             "/conformance --filter 'echo.*' --filter 'groups.*' --target ws://127.0.0.1:" +
                             std::to_string(server.port()) + " --json " + disk + "/r.json >/dev/null";
  const Outcome outcome =
      testkit::run({"unshare", "-rm", "/bin/sh", "-c",
                    inside + "echo the old one > " + disk + "/r.json && " + target + "; code=$?; cat " +
                        disk + "/r.json; ls -A " + disk + " | wc -l; exit $code"});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("r.json: No space left on device"));
  EXPECT_EQ(outcome.out, "the old one\n1\n");
}

TEST(Faults, ANodeThatIsKilledTakesNoOtherWithIt) {
  const testkit::TemporaryRedis redis;
  const std::vector<std::string> options{"--layer", "redis", "--redis-url", redis.url()};
  const Program stays(options);
  OrdinaryRoom room(stays);
  {
    Program dies(options);
    auto member = dies.member(OrdinaryRoom::kPath);
    EXPECT_EQ(member->read_message(soon()).kind, websocket::Received::Kind::text);  // one room over both
    dies.process().signal(SIGKILL);
    EXPECT_EQ(dies.process().wait(), 128 + SIGKILL);
    room.advance(20);  // with the dead node's member still in the group
  }
  EXPECT_EQ(room.finish(), "");
}

}  // namespace
}  // namespace roomcheck::reference_server
