#include "reports/model/conformance_result.h"

namespace roomcheck::reports {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::crash:
      return "crash";
    case Verdict::known_deviation:
      return "known_deviation";
    case Verdict::unexpected_pass:
      return "unexpected_pass";
    case Verdict::skipped:
      return "skipped";
    case Verdict::could_not_test:
      return "could_not_test";
    case Verdict::harness_error:
      return "harness_error";
    case Verdict::informational:
      return "informational";
  }
  return "unknown";
}

std::string_view to_string(Level level) {
  return level == Level::must ? "MUST" : level == Level::should ? "SHOULD" : "INFO";
}

std::map<std::string, std::uint64_t> ConformanceResult::summary() const {
  std::map<std::string, std::uint64_t> out;
  for (const CaseResult& c : cases) ++out[std::string(to_string(c.verdict))];
  return out;
}

nlohmann::ordered_json to_json(const ConformanceResult& result) {
  auto cases = nlohmann::ordered_json::array();
  for (const CaseResult& c : result.cases)
    cases.push_back({{"id", c.id},
                     {"requirement", c.requirement},
                     {"section", c.section},
                     {"level", to_string(c.level)},
                     {"verdict", to_string(c.verdict)},
                     {"message", c.message},
                     {"expected", c.expected},
                     {"actual", c.actual},
                     {"sentence", c.sentence},
                     {"look_at", c.look_at},
                     {"deviation", c.deviation},
                     {"duration_ns", c.duration_ns},
                     {"transcript", c.transcript}});
  return {{"schema", ConformanceResult::kSchema},
          {"started", result.started},
          {"command", result.command},
          {"versions", result.versions},
          {"target", result.target},
          {"profile", result.profile},
          {"control", result.control},
          {"seed", result.seed},
          {"verdict", result.verdict},
          {"summary", result.summary()},
          {"cases", cases}};
}

}  // namespace roomcheck::reports
