#pragma once
#include <memory>

#include "libs/program/program.h"

namespace roomcheck::reports {

// `report compare BASE NEW`, or `report compare --base A B --new C D`: adds the subcommand; the function it
// returns runs it after parsing. 1 a regression, 4 too few believable runs to tell anything; bad input throws
// BadInput.
std::function<ExitCode()> add_compare(CLI::App& app, CLI::App*& command);

}  // namespace roomcheck::reports
