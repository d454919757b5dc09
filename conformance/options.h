#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace roomcheck::conformance {

struct Options {
  std::vector<std::string> targets;
  std::string profile = "seed";
  std::vector<std::string> set;
  std::string control;
  std::string control_token;
  std::vector<std::string> filter;
  bool list = false;
  bool print_profile = false;
  bool strict = false;
  bool require_complete = false;
  bool insecure = false;
  std::string ca;
  double timeout_scale = 1;
  std::uint64_t seed = 0;
  std::string json;
  std::string junit;
};

void add_options(CLI::App& app, Options& options);

}  // namespace roomcheck::conformance
