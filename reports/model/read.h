#pragma once
#include <string>
#include <string_view>
#include <variant>

#include "reports/model/conformance_result.h"
#include "reports/model/load_result.h"

namespace roomcheck::reports {

using AnyResult = std::variant<ConformanceResult, LoadResult>;

// Reads a result of either kind. `where` names the file in errors. Throws BadInput, one sentence: not JSON or
// truncated, no "schema", an unknown kind or version, a missing or wrong field (with its JSON pointer).
AnyResult parse_result(std::string_view json_text, const std::string& where);

}  // namespace roomcheck::reports
