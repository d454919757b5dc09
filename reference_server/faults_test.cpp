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

TEST(Faults, WithoutDescriptorsTheRoomGoesOnAndNewcomersWait) {
  Program server({"--threads", "1"});
  OrdinaryRoom room(server);
  const pid_t pid = server.process().pid();
  rlimit limit{};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit), 0);
  rlimit few = limit;
  few.rlim_cur = open_descriptors(pid) + 10;
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &few, nullptr), 0);
  {
    std::vector<Socket> flood;
    for (int i = 0; i < 50; ++i) flood.emplace_back(server.port());
    for (const Nanoseconds end = soon(); server.process().err().find("cannot accept") == std::string::npos;) {
      ASSERT_LT(steady_clock().now(), end) << "it never ran out of descriptors";
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
