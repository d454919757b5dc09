#pragma once
#include <chrono>
#include <string>
#include <vector>

namespace CLI {  // not its header: see libs/program/program.h
class App;
}

namespace roomcheck::conformance {

struct Options {
  // the target
  std::vector<std::string> targets;  // the nodes of a cluster; one otherwise
  std::string profile = "seed";
  std::vector<std::string> set;
  std::string control;
  std::string control_token;
  bool insecure = false;
  std::string ca;
  std::vector<std::string> start;  // one a target, or none
  std::chrono::nanoseconds start_timeout = std::chrono::seconds(30);
  // the cases
  std::vector<std::string> filter;
  bool list = false;
  bool print_profile = false;
  bool check = false;
  std::string self_test;  // "full", "caught"; empty: no
  std::string reference_server;
  double timeout_scale = 1;
  std::uint64_t seed = 0;
  int jobs = 1;
  int repeat = 1;
  std::string shard;  // "2/4"
  bool fail_fast = false;
  std::chrono::nanoseconds observe{0};
  // the verdict
  bool strict = false;
  bool require_complete = false;
  std::vector<std::string> known_deviations;
  std::string json;
  std::string junit;
  std::string html;
  std::string trace;
  std::string annotate;
  int durations = 0;
};

void add_options(CLI::App& app, Options& options);

}  // namespace roomcheck::conformance
