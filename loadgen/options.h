#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "loadgen/scenario.h"
#include "reports/model/thresholds.h"

namespace roomcheck::loadgen {

// What the command line asks for.
struct Options {
  Scenario scenario;
  std::string profile = "seed";
  std::vector<std::string> overrides;  // of the profile
  std::vector<std::string> headers;
  std::vector<std::string> thresholds;
  std::string json;  // "": none, "-": stdout
};

// Ties the options to the subcommand `run` of the app.
void add_options(CLI::App& app, Options& options);

// Checks what the parser cannot; fills options.scenario and returns the profile. Throws BadInput.
target::Profile complete(Options& options);

}  // namespace roomcheck::loadgen
