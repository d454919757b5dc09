#pragma once
#include <string>
#include <vector>

#include "loadgen/scale_out/common_start.h"
#include "loadgen/scenario.h"
#include "reports/model/thresholds.h"

namespace CLI {  // not its header: see libs/program/program.h
class App;
}

namespace roomcheck::loadgen {

// Where a run is written besides the summary; "": nowhere, "-": stdout.
struct Outputs {
  std::string json;        // the result
  std::string csv;         // the seconds
  std::string hgrm;        // the percentiles of the first workload's latency
  std::string hlog;        // every second's histogram, and every latency's
  std::string live_jsonl;  // one line a second, while it runs
  std::string prometheus;  // HOST:PORT, while it runs
};

// What the command line asks for.
struct Options {
  Scenario scenario;
  std::string scenario_file;
  std::string profile = "seed";
  std::vector<std::string> overrides;  // of the profile
  std::vector<std::string> targets;
  std::string workload = "fan-out";
  std::string room_sizes = "uniform";
  std::string arrival = "constant";
  std::string payload = "100";
  std::vector<std::string> headers;
  std::string header_file;
  std::string cookie_file;
  std::string reconnect = "never";
  std::uint32_t threads = 0;  // 0: the scenario's, or 1
  std::string seed;           // "": the scenario's, or random
  ScaleOut scale_out;
  std::vector<std::string> thresholds;
  Outputs outputs;

  // capacity
  std::vector<std::string> slo;
  std::string vary = "rate";
  double from = 0;  // 0: a tenth of the scenario's
  double to = 0;    // 0: no limit but the generator's
  std::chrono::nanoseconds step = std::chrono::seconds(5);
  double precision = 0.02;
};

// Ties the options to the subcommands `run`, `capacity` and `metrics` of the app.
void add_options(CLI::App& app, Options& options);

// Checks what the parser cannot; fills options.scenario and returns the profile. Throws BadInput.
target::Profile complete(Options& options);

}  // namespace roomcheck::loadgen
