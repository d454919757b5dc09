#pragma once
#include <string>
#include <vector>

#include "loadgen/progress.h"
#include "loadgen/scale_out/common_start.h"
#include "loadgen/scenario.h"
#include "reports/model/load_result.h"
#include "reports/model/thresholds.h"

namespace roomcheck::loadgen {

// Where a run is told to machines while it lasts (Live); "": nowhere.
struct LiveOutputs {
  std::string jsonl;
  std::string prometheus;
};

// Connects, warms up, runs, drains, closes; ends in bounded time whatever the target does. SIGINT or SIGTERM
// once: send no more, drain, report; twice: stop at once and report.
//
// `common_start`: asked for the start once everything is connected; nullptr: at once.
//
// Throws BadInput when the limit of open files is too low, StartFailure when the target is not there.
// Thread: the caller's conducts; `scenario.threads` workers do the work.
reports::LoadResult run(const Scenario& scenario, const target::Profile& profile,
                        const std::vector<reports::Requirement>& requirements, const std::string& command,
                        Progress& progress, const LiveOutputs& live, CommonStart* common_start = nullptr);

}  // namespace roomcheck::loadgen
