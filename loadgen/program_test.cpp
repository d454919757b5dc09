// The program as people start it, against the reference server, whole and broken on purpose.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loadgen/program_test.h"

namespace roomcheck::loadgen {
namespace {

using testing::HasSubstr;

TEST(Loadgen, ARightServerLosesNothing) {
  const Measured run = load({});
  EXPECT_EQ(run.result["schema"], "roomcheck.load/1");
  EXPECT_EQ(run.result["delivery"]["expected"], 4000);
  EXPECT_EQ(run.result["delivery"]["delivered"], 4000);
  EXPECT_EQ(run.result["delivery"]["lost"], 0);
  EXPECT_EQ(run.result["latency"]["fan_out"]["corrected"]["count"], 4000);
  EXPECT_EQ(run.result["latency"]["last"]["corrected"]["count"], 200);
  // What the ledger counted holds for any run; what the run says of itself, only where the machine let it.
  if (run.outcome.exit_code == 4) GTEST_SKIP() << "could not test: " << run.outcome.out;
  EXPECT_EQ(run.outcome.exit_code, 0) << run.outcome.out << run.outcome.err;
  EXPECT_THAT(run.outcome.out, HasSubstr("PASSED"));
}

TEST(Loadgen, ThreadsShareTheRooms) {
  const Measured run = load({}, {"--threads", "2"});
  EXPECT_EQ(run.result["delivery"]["delivered"], 4000);
  // What the ledger counted holds for any run; what the run says of itself, only where the machine let it.
  if (run.outcome.exit_code == 4) GTEST_SKIP() << "could not test: " << run.outcome.out;
  EXPECT_EQ(run.outcome.exit_code, 0) << run.outcome.out << run.outcome.err;
}

TEST(Loadgen, ReportsExactlyTheLossOfAServerThatDropsEveryHundredth) {
  const Measured run = load({"--mutant", "lose=100"});
  EXPECT_GT(run.result["delivery"]["lost"], 0);
  EXPECT_EQ(run.result["delivery"]["lost"], run.stats["mutant"]["lost"]) << run.stats;
  // What the ledger counted holds for any run; what the run says of itself, only where the machine let it.
  if (run.outcome.exit_code == 4) GTEST_SKIP() << "could not test: " << run.outcome.out;
  EXPECT_EQ(run.outcome.exit_code, 1) << run.outcome.out << run.outcome.err;
  EXPECT_THAT(run.outcome.out, HasSubstr("NOT CLEAN"));
}

TEST(Loadgen, ReportsExactlyTheDuplicates) {
  const Measured run = load({"--mutant", "duplicate=50"});
  EXPECT_EQ(run.result["delivery"]["duplicated"], run.stats["mutant"]["duplicated"]) << run.stats;
  EXPECT_EQ(run.result["delivery"]["lost"], 0);
  // What the ledger counted holds for any run; what the run says of itself, only where the machine let it.
  if (run.outcome.exit_code == 4) GTEST_SKIP() << "could not test: " << run.outcome.out;
  EXPECT_EQ(run.outcome.exit_code, 1) << run.outcome.out << run.outcome.err;
}

TEST(Loadgen, AThresholdOfOnesOwnReplacesTheDefault) {
  const Measured run = load({"--mutant", "lose=100"}, {"--threshold", "delivery.lost<100"});
  // What the ledger counted holds for any run; what the run says of itself, only where the machine let it.
  if (run.outcome.exit_code == 4) GTEST_SKIP() << "could not test: " << run.outcome.out;
  EXPECT_EQ(run.outcome.exit_code, 0) << run.outcome.out << run.outcome.err;
  EXPECT_THAT(run.outcome.out, HasSubstr("NOT CLEAN"));
}

TEST(Loadgen, NobodyThereIsExit3WithTheRemedy) {
  const Outcome outcome = loadgen({"--target", "ws://127.0.0.1:" + std::to_string(testkit::free_port())});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("start the target, or correct --target"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
}

TEST(Loadgen, ATargetThatVanishesEndsTheRunWithWhatWasMeasured) {
  Server server;
  Process load({kBin + "/loadgen", "run", "--target", server.target, "--clients", "50", "--rooms", "5",
                "--warmup", "0", "--duration", "10m", "--json", "-"});
  // The second line of progress: it runs.
  while (load.err().find("run ") == std::string::npos && !load.wait(std::chrono::seconds(1)).has_value()) {
  }
  server.kill();
  EXPECT_EQ(load.wait(std::chrono::seconds(30)), 3);
  EXPECT_THAT(load.err(), HasSubstr("the target closed all 50 connections"));
  EXPECT_FALSE(Json::parse(load.out())["failed_because"].empty());
}

TEST(Loadgen, BadInputIsOneSentenceAndExit2) {
  const struct {
    std::vector<std::string> words;
    const char* says;
  } kCases[] = {
      {{"--nonsense"}, "--nonsense"},
      {{"--clients", "5", "--rooms", "10"}, "ask for fewer rooms"},
      {{"--rate", "0"}, "--rate"},
      {{"--clients", "0"}, "at least one client"},
      {{"--payload", "10"}, "64"},
      {{"--duration", "soon"}, "250ms"},
      {{"--target", "http://127.0.0.1:1"}, "ws://"},
      {{"--target", "ws://127.0.0.1:1/ws/chat/"}, "room.path"},
      {{"--threads", "20"}, "number of rooms"},
      {{"--header", "x"}, "NAME: VALUE"},
      {{"--profile", "no-such-profile"}, "no-such-profile"},
      {{"--threshold", "fanout.p99<5ms"}, "fan_out.p99"},
      {{"--clients", "1000000000"}, "ulimit -Hn"},
  };
  for (const auto& [words, says] : kCases) {
    const Outcome outcome = loadgen(words);
    EXPECT_EQ(outcome.exit_code, 2) << words[0];
    EXPECT_THAT(outcome.err, HasSubstr(says));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST(Loadgen, HelpIsPinned) {
  EXPECT_EQ(testkit::differs_from_golden("loadgen/help.gold",
                                         testkit::run({kBin + "/loadgen", "run", "--help"}).out),
            "");
}

}  // namespace
}  // namespace roomcheck::loadgen
