#include "conformance/verdict.h"

#include <algorithm>

namespace roomcheck::conformance {

using reports::CaseResult;
using reports::Level;
using reports::Verdict;

namespace {

bool counts(const CaseResult& result, bool strict) {
  return result.level == Level::must || (strict && result.level == Level::should);
}

int badness(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return 0;
    case Verdict::informational:
      return 1;
    case Verdict::skipped:
      return 2;
    case Verdict::known_deviation:
      return 3;
    case Verdict::could_not_test:
      return 4;
    case Verdict::harness_error:
      return 5;
    case Verdict::unexpected_pass:
      return 6;
    case Verdict::fail:
      return 7;
    case Verdict::crash:
      return 8;
  }
  return 9;
}

}  // namespace

bool fails_the_run(const CaseResult& result, bool strict) {
  if (result.verdict == Verdict::unexpected_pass) return true;
  return counts(result, strict) && (result.verdict == Verdict::fail || result.verdict == Verdict::crash);
}

std::string verdict_of(const reports::ConformanceResult& result, bool strict) {
  bool proved = false, failed = false, stuck = false, skipped = false;
  for (const CaseResult& c : result.cases) {
    proved = proved || c.verdict == Verdict::pass || c.verdict == Verdict::known_deviation;
    failed = failed || fails_the_run(c, strict);
    stuck = stuck || c.verdict == Verdict::harness_error ||
            (counts(c, strict) && c.verdict == Verdict::could_not_test);
    skipped = skipped || c.verdict == Verdict::skipped;
  }
  if (failed) return "fail";
  if (!proved || stuck) return "invalid";
  return skipped ? "partial" : "pass";
}

ExitCode exit_code(const reports::ConformanceResult& result, bool require_complete, bool lost) {
  const bool harness = std::any_of(result.cases.begin(), result.cases.end(),
                                   [](const CaseResult& c) { return c.verdict == Verdict::harness_error; });
  if (harness || lost) return ExitCode::failed;
  if (result.verdict == "fail") return ExitCode::verdict_bad;
  if (result.verdict == "invalid" || (result.verdict == "partial" && require_complete))
    return ExitCode::not_believable;
  return ExitCode::good;
}

bool take_worse(CaseResult& sum, const CaseResult& more) {
  if (badness(more.verdict) <= badness(sum.verdict)) return false;
  const std::int64_t duration = std::max(sum.duration_ns, more.duration_ns);
  CaseResult worse = more;
  worse.id = sum.id;
  worse.requirement = sum.requirement;
  worse.section = sum.section;
  worse.level = sum.level;
  worse.sentence = sum.sentence;
  worse.look_at = sum.look_at;
  worse.duration_ns = duration;
  sum = std::move(worse);
  return true;
}

}  // namespace roomcheck::conformance
