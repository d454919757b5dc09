#include "conformance/verdict.h"

#include <gtest/gtest.h>

#include "conformance/catalog.h"
#include "conformance/hints.h"
#include "conformance/output.h"

namespace roomcheck::conformance {
namespace {

using reports::CaseResult;
using reports::ConformanceResult;
using reports::Level;
using reports::Verdict;

CaseResult a_case(Verdict verdict, Level level = Level::must) {
  CaseResult out;
  out.verdict = verdict;
  out.level = level;
  return out;
}

struct Judged {
  std::string verdict;
  ExitCode code;
};
Judged judged(const std::vector<CaseResult>& cases, bool strict = false, bool complete = false,
              bool lost = false) {
  ConformanceResult result;
  result.cases = cases;
  result.verdict = verdict_of(result, strict);
  return {result.verdict, exit_code(result, complete, lost)};
}

TEST(RunVerdict, OfOneCaseBesideOneThatPasses) {
  const struct {
    Verdict verdict;
    Level level;
    const char* run;
    ExitCode code;
  } kCases[] = {
      {Verdict::pass, Level::must, "pass", ExitCode::good},
      {Verdict::fail, Level::must, "fail", ExitCode::verdict_bad},
      {Verdict::crash, Level::must, "fail", ExitCode::verdict_bad},
      {Verdict::fail, Level::should, "pass", ExitCode::good},
      {Verdict::known_deviation, Level::must, "pass", ExitCode::good},
      {Verdict::unexpected_pass, Level::must, "fail", ExitCode::verdict_bad},
      {Verdict::unexpected_pass, Level::should, "fail", ExitCode::verdict_bad},
      {Verdict::skipped, Level::must, "partial", ExitCode::good},
      {Verdict::could_not_test, Level::must, "invalid", ExitCode::not_believable},
      {Verdict::could_not_test, Level::should, "pass", ExitCode::good},
      {Verdict::harness_error, Level::info, "invalid", ExitCode::failed},
      {Verdict::informational, Level::info, "pass", ExitCode::good},
  };
  for (const auto& c : kCases) {
    const Judged got = judged({a_case(Verdict::pass), a_case(c.verdict, c.level)});
    EXPECT_EQ(got.verdict, c.run) << to_string(c.verdict) << " " << to_string(c.level);
    EXPECT_EQ(got.code, c.code) << to_string(c.verdict) << " " << to_string(c.level);
  }
}

TEST(RunVerdict, WhenSeveralApply) {
  const CaseResult pass = a_case(Verdict::pass), fail = a_case(Verdict::fail);
  EXPECT_EQ(judged({}).code, ExitCode::not_believable) << "nothing ran";
  EXPECT_EQ(judged({a_case(Verdict::skipped)}).code, ExitCode::not_believable) << "nothing was proved";
  EXPECT_EQ(judged({pass, fail, a_case(Verdict::harness_error)}).code, ExitCode::failed) << "3 before 1";
  EXPECT_EQ(judged({pass, fail, a_case(Verdict::could_not_test)}).code, ExitCode::verdict_bad)
      << "1 before 4";
  EXPECT_EQ(judged({pass, a_case(Verdict::fail, Level::should)}, true).code, ExitCode::verdict_bad)
      << "strict";
  EXPECT_EQ(judged({pass, a_case(Verdict::skipped)}, false, true).code, ExitCode::not_believable)
      << "complete";
  EXPECT_EQ(judged({pass, fail}, false, false, true).code, ExitCode::failed) << "the target is gone";
}

TEST(TakeWorse, KeepsTheWorseOfTwoRoundsAndWhoseCaseItIs) {
  CaseResult sum = a_case(Verdict::pass), fail = a_case(Verdict::fail, Level::info);
  sum.id = "echo.replies/one";
  sum.duration_ns = 5;
  fail.message = "twice";
  EXPECT_TRUE(take_worse(sum, fail));
  EXPECT_EQ(sum.verdict, Verdict::fail);
  EXPECT_EQ(sum.message, "twice");
  EXPECT_EQ(sum.id, "echo.replies/one");
  EXPECT_EQ(sum.level, Level::must);
  EXPECT_EQ(sum.duration_ns, 5);
  for (const Verdict better :
       {Verdict::pass, Verdict::known_deviation, Verdict::could_not_test, Verdict::fail})
    EXPECT_FALSE(take_worse(sum, a_case(better)));
  EXPECT_TRUE(take_worse(sum, a_case(Verdict::crash)));
}

TEST(Hints, TheLongestBeginningHoldsAndEverySectionHasOne) {
  EXPECT_NE(what_to_look_at("groups.leave-on-fin"), what_to_look_at("groups.two-rooms"));
  EXPECT_EQ(what_to_look_at("groups.leave-on-fin"), what_to_look_at("groups.leave-on-reset"));
  for (const Case& c : all_cases()) EXPECT_NE(what_to_look_at(c.requirement), "") << c.requirement;
}

TEST(Annotations, HoldOneLineEachWhateverIsInThem) {
  ConformanceResult result;
  for (const Verdict verdict :
       {Verdict::fail, Verdict::pass, Verdict::known_deviation, Verdict::could_not_test}) {
    result.cases.push_back(a_case(verdict));
    result.cases.back().id = "a.b/c";
    result.cases.back().message = "50% of it:\r\nlost";
  }
  EXPECT_EQ(github_annotations(result, false),
            "::error title=fail a.b/c::50%25 of it:%0D%0Alost%0ASPEC: \n"
            "::notice title=known_deviation a.b/c::50%25 of it:%0D%0Alost%0ASPEC: \n"
            "::warning title=could_not_test a.b/c::50%25 of it:%0D%0Alost%0ASPEC: \n");
}

}  // namespace
}  // namespace roomcheck::conformance
