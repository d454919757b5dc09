#pragma once
#include <string>

#include "loadgen/capacity.h"
#include "loadgen/options.h"
#include "loadgen/progress.h"

namespace roomcheck::loadgen {

// Searches the capacity of a target with real runs. Throws like run().
Capacity run_capacity(const Options& options, const target::Profile& profile, Progress& progress);

// What a person reads at the end, and what a machine does (roomcheck.capacity/1).
std::string summary(const Capacity& capacity, const Options& options);
std::string to_json_text(const Capacity& capacity, const Options& options, const std::string& command);

}  // namespace roomcheck::loadgen
