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
  const std::string help = run({"--help"}).out + "\n" + run({"html", "--help"}).out;
  EXPECT_EQ(testkit::differs_from_golden("reports/help.gold", help), "");
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
