#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "reports/model/load_result.h"

namespace roomcheck::reports {

// One requirement on the result, "fan_out.p99<50ms": a path, one of < <= > >= == !=, and a number, with a
// unit (ns us ms s) where the path is a time.
//
// A path is one of the result file, as written there or shorter: `_ns` may be left out, so may `latency.` and
// then
// `.corrected`. So fan_out.p99 is latency.fan_out.corrected.p99_ns, and fan_out.uncorrected.p99 says what it
// says.
struct Requirement {
  enum class Comparison { less, less_equal, greater, greater_equal, equal, not_equal };
  std::string expression;  // as given
  std::string path;        // in full
  Comparison comparison = Comparison::less;
  double limit = 0;  // ns for times
};

// Throws BadInput for what is no requirement, with the accepted form; for a path that a result does not have,
// with the nearest ones. `shape` is any result of the run's kind.
std::vector<Requirement> parse_requirements(const std::vector<std::string>& expressions,
                                            const nlohmann::ordered_json& shape);

// The given ones, and before them what every run has to meet (docs/decisions/0005): nothing lost, duplicated,
// foreign or corrupt - unless one is given for the same path.
std::vector<Requirement> with_defaults(std::vector<Requirement> given);

// The full path of a number that a result has, from any spelling above; "" when it has none.
std::string full_path(const std::string& path, const nlohmann::ordered_json& shape);
// The path nearest to one that does not exist, for the error about it.
std::string nearest_path(const std::string& path, const nlohmann::ordered_json& shape);
// REQUIRES: a full path that the result has.
double number_at_path(const nlohmann::ordered_json& result, const std::string& full_path);

// What was measured, in the unit that the expression speaks of: "61.0 ms", "1,234", "0.25".
std::string format_measured(const Threshold& threshold);

Threshold judge(const Requirement& requirement, const nlohmann::ordered_json& result);

}  // namespace roomcheck::reports
