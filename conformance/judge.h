#pragma once
#include <string>
#include <vector>

#include "conformance/case.h"
#include "conformance/options.h"
#include "libs/program/program.h"
#include "libs/target/profile.h"

namespace roomcheck::conformance {

// The cases that --filter and --shard leave, in the catalogue's order. Throws BadInput for a malformed
// --shard.
std::vector<Case> chosen(const std::vector<std::string>& patterns, const std::string& shard);

// A whole run: starts the target where that was asked for, runs the cases, prints and writes what they say.
// `argc`, `argv`: what is left for GoogleTest. `command`: for the result.
ExitCode judge(const Options& options, const target::Profile& profile, int& argc, char** argv,
               const std::string& command);

// --check: see check.h. Returns good when the profile is right, verdict_bad when a part is not.
ExitCode check(const Options& options, const target::Profile& profile);

}  // namespace roomcheck::conformance
