#pragma once
#include <cstddef>
#include <string>

#include "reports/model/conformance_result.h"

namespace roomcheck::conformance {

// One line for what passed, a paragraph for what did not: expected, actual, the SPEC's sentence, what to look
// at, the transcript.
std::string describe(const reports::CaseResult& result, bool colour);

// The last lines of a run: counts by verdict, failed SHOULDs apart, and the verdict itself.
std::string summarise(const reports::ConformanceResult& result, bool colour);

// The slowest cases, slowest first.
std::string slowest(const reports::ConformanceResult& result, std::size_t count);

// Workflow commands of GitHub Actions: an error for each case that fails the run, a warning for what else is
// not well, a notice for a known deviation.
std::string github_annotations(const reports::ConformanceResult& result, bool strict);

}  // namespace roomcheck::conformance
