#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace roomcheck::reports {

enum class Level { must, should, info };

// The outcome of one case. If you add a value here: to_string(), is_green(), the schema
// (conformance_result.schema.json), render/, docs/GLOSSARY.md.
enum class Verdict {
  pass,
  fail,
  crash,
  known_deviation,
  unexpected_pass,
  skipped,         // a capability is missing; the run is partial
  could_not_test,  // a positive control, the set-up or the machine's noise stood in the way
  harness_error,   // ours, never the target's
  informational
};
std::string_view to_string(Verdict verdict);
std::string_view to_string(Level level);

struct CaseResult {
  std::string id;           // "broadcast.reaches-all/three-members"
  std::string requirement;  // "broadcast.reaches-all"
  std::string section;      // "broadcast"
  Level level = Level::must;
  Verdict verdict = Verdict::pass;
  std::string message;  // one sentence; empty on pass
  std::string expected;
  std::string actual;
  std::string sentence;   // the SPEC's sentence
  std::string deviation;  // why it is known to deviate: the reason in --known-deviations; empty otherwise
  std::int64_t duration_ns = 0;
  std::vector<std::string> transcript;  // lines, relative times; only where it is not a pass
  std::string look_at{};                // where to look first; only where it is not a pass
};

// A run of the suite: roomcheck.conformance/1.
struct ConformanceResult {
  static constexpr std::string_view kSchema = "roomcheck.conformance/1";
  std::string started;  // ISO 8601
  std::string command;
  std::map<std::string, std::string> versions;  // "roomcheck", "kernel", ...
  std::string target;
  std::string profile;
  std::string control;
  std::uint64_t seed = 0;
  std::string verdict;  // pass fail partial invalid
  std::vector<CaseResult> cases;

  std::map<std::string, std::uint64_t> summary() const;  // count by verdict
};

nlohmann::ordered_json to_json(const ConformanceResult& result);

}  // namespace roomcheck::reports
