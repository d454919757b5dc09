// The program as people start it: files in, a page out, exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"
#include "reports/model/read.h"

namespace roomcheck::reports {
namespace {

using testing::HasSubstr;
using testkit::Outcome;

class Program : public testing::Test {
 protected:
  Outcome run(std::vector<std::string> words) {
    words.insert(words.begin(), testkit::bin_dir() + "/report");
    return testkit::run(words);
  }
  std::string out() const { return directory_.path("out.html"); }
  void refuses(const std::string& file, const std::string& says) {
    const Outcome outcome = run({"html", file, "-o", out()});
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(says));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(run({"html", file, "-o", "-"}).out, "");
  }

  testkit::TemporaryDirectory directory_;
};

TEST_F(Program, WritesOnePageOfSeveralResults) {
  const std::string load = directory_.write("load.json", to_json(LoadResult()).dump());
  ConformanceResult failed;
  failed.verdict = "fail";
  const std::string conformance = directory_.write("conformance.json", to_json(failed).dump());
  const Outcome outcome = run({"html", load, conformance, "-o", out()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(testkit::slurp(out()), HasSubstr("<h2>FAILED</h2>"));
  EXPECT_EQ(run({"html", load, conformance, "-o", "-"}).out, testkit::slurp(out()));
}

TEST_F(Program, HelpIsPinned) {
  std::string help = run({"--help"}).out;
  for (const char* command :
       {"html", "matrix", "markdown", "annotations", "junit", "csv", "hgrm", "merge", "compare"})
    help += "\n" + run({command, "--help"}).out;
  EXPECT_EQ(testkit::differs_from_golden("reports/help.gold", help), "");
}

TEST_F(Program, TheMatrixNamesItsColumnsAndTakesOnlyConformance) {
  ConformanceResult one;
  one.verdict = "pass";
  one.cases.resize(1);
  one.cases[0].requirement = "echo.replies";
  const std::string a = directory_.write("django.json", to_json(one).dump());
  const Outcome named = run({"matrix", "mine=" + a, a, "--markdown"});
  EXPECT_EQ(named.exit_code, 0) << named.err;
  EXPECT_THAT(named.out, HasSubstr("| Requirement | Level | mine | django |"));
  const std::string load = directory_.write("load.json", to_json(LoadResult()).dump());
  const Outcome wrong = run({"matrix", a, load, "-o", out()});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("load.json: a load result"));
}

TEST_F(Program, WritesWhatOtherProgramsRead) {
  LoadResult result;
  result.latency["fan_out"].corrected.record(std::chrono::milliseconds(2));
  const std::string load = directory_.write("load.json", to_json(result).dump());
  EXPECT_THAT(run({"junit", load}).out, HasSubstr("<testsuite name=\"roomcheck.load\""));
  EXPECT_THAT(run({"markdown", load}).out, HasSubstr("### ✅ Load: PASSED"));
  EXPECT_THAT(run({"csv", load, "--table", "latency"}).out, HasSubstr("fan_out,corrected,1,2000000"));
  EXPECT_THAT(run({"hgrm", load}).out, HasSubstr("Total count    =            1]"));
  EXPECT_THAT(run({"hgrm", load, "--uncorrected"}).out, HasSubstr("Total count    =            0]"));
  EXPECT_EQ(run({"junit", load, "-o", out()}).exit_code, 0);
  EXPECT_THAT(testkit::slurp(out()), HasSubstr("<testsuite"));
  const Outcome unknown = run({"hgrm", load, "--latency", "fanout"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("has fan_out"));
}

TEST_F(Program, ReadsAResultFromStdin) {
  const std::string load = directory_.write("load.json", to_json(LoadResult()).dump());
  const Outcome outcome = testkit::run(
      {"sh", "-c", testkit::bin_dir() + "/report html - -o - < " + load + " | grep -c '<h2>PASSED</h2>'"});
  EXPECT_EQ(outcome.out, "1\n") << outcome.err;
}

TEST_F(Program, ComparesAndLeavesAVerdictToThePipeline) {
  std::vector<std::string> base{"--base"}, slow{"--new"};
  for (int i = 0; i < 5; ++i) {
    LoadResult result;
    result.latency["fan_out"].corrected.record(std::chrono::microseconds(1000 + i));
    base.push_back(directory_.write("base" + std::to_string(i), to_json(result).dump()));
    result.latency["fan_out"].corrected = {};
    result.latency["fan_out"].corrected.record(std::chrono::microseconds(2000 + i));
    slow.push_back(directory_.write("slow" + std::to_string(i), to_json(result).dump()));
  }
  const auto compare = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"compare"};
    words.insert(words.end(), base.begin(), base.end());
    words.insert(words.end(), slow.begin(), slow.end());
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  const Outcome worse = compare({"--html", out()});
  EXPECT_EQ(worse.exit_code, 1) << worse.err;
  EXPECT_THAT(worse.out, HasSubstr("worse, by more than the 5 % allowed"));
  EXPECT_THAT(testkit::slurp(out()), HasSubstr("<h2>WORSE</h2>"));
  EXPECT_EQ(compare({"--max-regression", "90%"}).exit_code, 1);
  EXPECT_EQ(compare({"--max-regression", "100%"}).exit_code, 0);  // 1.998 times as slow
  EXPECT_EQ(compare({"--max-regression", "50%", "--metric", "delivery.lost"}).exit_code, 0);
  EXPECT_THAT(compare({"--json", "-"}).out,
              testing::StartsWith("{\n  \"schema\": \"roomcheck.comparison/1\""));
  EXPECT_EQ(run({"compare", base[1], slow[1]}).exit_code, 4) << "one run a side";
  EXPECT_EQ(run({"compare", base[1], base[2], slow[1]}).exit_code, 2) << "who is BASE?";
  EXPECT_EQ(run({"compare", base[1]}).exit_code, 2);
  EXPECT_EQ(compare({"--max-regression", "much"}).exit_code, 2);
  const std::string suite = directory_.write("suite.json", to_json(ConformanceResult()).dump());
  const Outcome mixed = run({"compare", base[1], suite});
  EXPECT_EQ(mixed.exit_code, 2);
  EXPECT_THAT(mixed.err, HasSubstr("only results of one kind"));
  EXPECT_EQ(run({"compare", suite, suite}).exit_code, 0);
}

TEST_F(Program, MergesShardsAndRefusesWhatIsNone) {
  LoadResult shard;
  shard.shard = {0, 2};
  shard.delivery.expected = 5;
  const std::string a = directory_.write("a.json", to_json(shard).dump());
  shard.shard.index = 1;
  const std::string b = directory_.write("b.json", to_json(shard).dump());
  EXPECT_EQ(run({"merge", a, b, "-o", out()}).exit_code, 0);
  EXPECT_EQ(std::get<LoadResult>(parse_result(testkit::slurp(out()), "out")).delivery.expected, 10u);
  const Outcome twice = run({"merge", a, a, "-o", "-"});
  EXPECT_EQ(twice.exit_code, 2);
  EXPECT_EQ(std::count(twice.err.begin(), twice.err.end(), '\n'), 1) << twice.err;
}

TEST_F(Program, AMissingFileIsExit2) { refuses(directory_.path("none.json"), "none.json"); }

TEST_F(Program, ATruncatedFileIsExit2) {
  const std::string whole = to_json(LoadResult()).dump();
  refuses(directory_.write("half.json", whole.substr(0, whole.size() / 2)),
          "half.json: not JSON, or cut off");
}

TEST_F(Program, AnUnknownVersionIsExit2) {
  refuses(directory_.write("new.json", R"({"schema": "roomcheck.load/9"})"), "roomcheck.load/9");
}

TEST_F(Program, NoResultAndNoCommandAreUsage) {
  EXPECT_EQ(run({}).exit_code, 2);
  EXPECT_EQ(run({"html"}).exit_code, 2);
  EXPECT_EQ(run({"print"}).exit_code, 2);
}

TEST_F(Program, AnUnwritableOutputIsExit3) {
  const std::string load = directory_.write("load.json", to_json(LoadResult()).dump());
  EXPECT_EQ(run({"html", load, "-o", directory_.path("none/out.html")}).exit_code, 3);
}

}  // namespace
}  // namespace roomcheck::reports
