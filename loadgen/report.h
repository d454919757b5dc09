#pragma once
#include <memory>
#include <string>
#include <vector>

#include "loadgen/worker.h"
#include "reports/model/load_result.h"
#include "reports/model/thresholds.h"

namespace roomcheck::loadgen {

// A result without measurements: what the run is, where it runs, and every latency by name. Also the shape
// that thresholds are checked against before the start.
reports::LoadResult blank_result(const Scenario& scenario, const target::Profile& profile,
                                 const std::string& command);

// Adds what the workers have measured, sums exact; then judges: validity first, then the requirements.
// REQUIRES: the workers have joined; `result.duration_ns` and `result.series` are set.
void conclude(reports::LoadResult& result, const Scenario& scenario,
              const std::vector<std::unique_ptr<Worker>>& workers,
              const std::vector<reports::Requirement>& requirements);

}  // namespace roomcheck::loadgen
