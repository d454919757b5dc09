// The suite as people start it, against the reference server and its mutants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "conformance/catalog.h"
#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"

namespace roomcheck::conformance {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testkit::Outcome;
using testkit::Process;

const std::string kBin = testkit::bin_dir();

// A reference server, right or broken.
class Target {
 public:
  explicit Target(std::vector<std::string> options = {}) : process_(command(std::move(options))) {
    ws = process_.wait_for("(ws://127.0.0.1:\\d+)/");
    control = process_.wait_for("control on (http://\\S+)");
  }
  std::string ws, control;

 private:
  static std::vector<std::string> command(std::vector<std::string> options) {
    options.insert(options.begin(), {kBin + "/reference_server", "--listen", "127.0.0.1:0", "--control",
                                     "127.0.0.1:0", "--threads", "2", "--log-level", "error"});
    return options;
  }
  Process process_;
};

Outcome run(std::vector<std::string> words) {
  words.insert(words.begin(), kBin + "/conformance");
  return testkit::run(words, {}, std::chrono::seconds(300));
}

Outcome judge(const Target& target, std::vector<std::string> words = {}) {
  words.insert(words.begin(), {"--target", target.ws, "--control", target.control});
  return run(words);
}

TEST(Suite, TheReferenceServerPasses) {
  const Target target;
  const Outcome outcome = judge(target, {"--strict"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\nPARTIAL\n")) << "sessions, origins and other nodes were not given";
  EXPECT_THAT(outcome.out, Not(HasSubstr("could_not_test")));
}

TEST(Suite, EveryConsumerKindPasses) {
  const Target target;
  for (const char* kind : {"sync", "json", "async-json"}) {
    const Outcome outcome =
        judge(target, {"--set", std::string("room.path=/ws/") + kind + "/{room}/", "--filter", "groups.*",
                       "--filter", "broadcast.*", "--filter", "push.*", "--filter", "direct.*"});
    EXPECT_EQ(outcome.exit_code, 0) << kind << outcome.out << outcome.err;
  }
}

TEST(Suite, WithoutControlTheRunIsPartialAndSaysSo) {
  const Target target;
  const Outcome outcome = run({"--target", target.ws, "--filter", "push.*", "--filter", "echo.*"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("no control given"));
  EXPECT_THAT(outcome.out, HasSubstr("\nPARTIAL\n"));
  EXPECT_EQ(run({"--target", target.ws, "--filter", "push.*", "--filter", "echo.*", "--require-complete"})
                .exit_code,
            4);
}

TEST(Suite, NothingRunIsInvalidNeverGreen) {
  const Target target;
  const Outcome outcome = judge(target, {"--filter", "nothing.*"});
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.out, HasSubstr("INVALID"));
  EXPECT_EQ(run({"--target", target.ws, "--filter", "push.order*"}).exit_code, 4)
      << "only skipped cases prove nothing";
}

TEST(Suite, AFailureExplainsItself) {
  const Target target({"--mutant", "duplicates"});
  const Outcome outcome = judge(target, {"--filter", "broadcast.exactly-once/*"});
  EXPECT_EQ(outcome.exit_code, 1);
  for (const char* part :
       {"fail", "expected", "actual", "Nobody gets a message twice.", " > text(", " < text(", "\nFAIL\n"})
    EXPECT_THAT(outcome.out, HasSubstr(part));
}

TEST(Suite, ResultsAreWrittenForMachines) {
  const Target target;
  const Outcome outcome = judge(target, {"--filter", "echo.*", "--json", "-"});
  const json result = json::parse(outcome.out);
  EXPECT_EQ(result["schema"], "roomcheck.conformance/1");
  EXPECT_EQ(result["verdict"], "pass");
  EXPECT_THAT(judge(target, {"--filter", "echo.*", "--junit", "-"}).out,
              HasSubstr("<testcase classname=\"echo\""));
}

TEST(Suite, GoogleTestsOwnOptionsWork) {
  const Target target;
  const json result = json::parse(judge(target, {"--json", "-", "--gtest_filter=echo.replies*"}).out);
  EXPECT_EQ(result["cases"].size(), 1u);
}

// The other half, that no unrelated MUST catches a mutant, is the test suite_self_test of ci/test --full.
TEST(SelfProof, EveryMustHasAMutantThatItsCasesCatch) {
  const Outcome outcome = run({"--self-test=caught"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;  // what is not proved stands last
  EXPECT_THAT(outcome.out, HasSubstr("\nPROVED: "));
}

TEST(SelfProof, AnotherProgramThanTheReferenceServerIsSaidSo) {
  const Outcome outcome = run({"--self-test", "--reference-server", "/bin/false"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("--reference-server names another program"));
}

TEST(Program, HelpIsPinned) {
  EXPECT_EQ(testkit::differs_from_golden("conformance/help.gold", run({"--help"}).out), "");
}

TEST(Program, TheListOfCasesIsPinned) {
  EXPECT_EQ(testkit::differs_from_golden("conformance/cases/list.gold", run({"--list"}).out), "");
}

TEST(Program, BadInputIsOneSentenceWithItsExitCode) {
  const struct {
    std::vector<std::string> words;
    int code;
    const char* says;
  } kCases[] = {
      {{"--nonsense"}, 2, "--nonsense"},
      {{}, 2, "--target is missing"},
      {{"--target", "localhost"}, 2, "it has no scheme"},
      {{"--target", "http://localhost"}, 2, "expected ws://"},
      {{"--target", "ws://127.0.0.1:1", "--profile", "none"}, 2, "neither a built-in profile"},
      {{"--target", "ws://127.0.0.1:1", "--set", "room.pth=x"}, 2, "did you mean \"path\"?"},
      {{"--target", "ws://127.0.0.1:1", "--control", "ftp://x"}, 2, "--control"},
      {{"--target", "ws://127.0.0.1:" + std::to_string(testkit::free_port())}, 3, "is it started"},
  };
  for (const auto& [words, code, says] : kCases) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.exit_code, code) << says;
    EXPECT_THAT(outcome.err, HasSubstr(says));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

}  // namespace
}  // namespace roomcheck::conformance
