#pragma once
#include <string>

#include "reports/model/conformance_result.h"

namespace roomcheck::conformance {

// One line for what passed, a paragraph for what did not: expected, actual, the SPEC's sentence, the
// transcript.
std::string describe(const reports::CaseResult& result, bool colour);

// The last lines of a run: counts by verdict, and the verdict itself.
std::string summarise(const reports::ConformanceResult& result, bool colour);

}  // namespace roomcheck::conformance
