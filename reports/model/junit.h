#pragma once
#include <string>

#include "reports/model/conformance_result.h"
#include "reports/model/load_result.h"

namespace roomcheck::reports {

// JUnit XML, as pipelines read it. A test case is red exactly when it made the run's exit code bad: a failed
// SHOULD stands as skipped, with its message, unless the run was strict.
std::string to_junit(const ConformanceResult& result);

// One test case a threshold, and two before them: that the run came to its end, and that it may be believed.
std::string to_junit(const LoadResult& result);

}  // namespace roomcheck::reports
