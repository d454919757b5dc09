#pragma once
#include <string>

#include "libs/program/program.h"
#include "reports/model/load_result.h"

namespace roomcheck::loadgen {

// 3 the target or the harness failed; 4 the run is not to be believed, which proves nothing about the target;
// 1 a threshold was missed; 0.
ExitCode exit_code(const reports::LoadResult& result);

// What a person reads at the end: the verdict first, then why, then the figures.
std::string summary(const reports::LoadResult& result, bool colour);

}  // namespace roomcheck::loadgen
