#include <sys/ioctl.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <iostream>

#include "libs/program/files.h"
#include "libs/program/program.h"
#include "loadgen/capacity_run.h"
#include "loadgen/metrics.h"
#include "loadgen/options.h"
#include "loadgen/report.h"
#include "loadgen/run.h"
#include "loadgen/summary.h"
#include "reports/model/plain.h"

namespace {

using roomcheck::ExitCode;
namespace loadgen = roomcheck::loadgen;
namespace reports = roomcheck::reports;

// 0 when stderr is no terminal.
unsigned terminal_columns() {
  winsize size{};
  if (::isatty(STDERR_FILENO) == 0) return 0;
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// A file may be meant for stdout; then what is for people goes to stderr.
void tell(const std::string& text, bool stdout_is_taken) {
  (stdout_is_taken ? std::cerr : std::cout) << text << std::flush;
}

void write(const std::string& path, const std::string& text) {
  if (!path.empty()) roomcheck::write_file(path, text);
}

ExitCode run(loadgen::Options& options, const std::string& command) {
  const roomcheck::target::Profile profile = loadgen::complete(options);
  const auto common_start =
      loadgen::join_run(options.scale_out, options.scenario, profile, !options.seed.empty());
  const auto shape = to_json(loadgen::blank_result(options.scenario, profile, command));
  const auto requirements = reports::with_defaults(reports::parse_requirements(options.thresholds, shape));
  const loadgen::Outputs& outputs = options.outputs;
  for (const auto& [option, path] : {std::pair("--json", outputs.json), std::pair("--csv", outputs.csv),
                                     std::pair("--hgrm", outputs.hgrm), std::pair("--hlog", outputs.hlog)})
    roomcheck::require_writable(option, path);
  loadgen::Progress progress(std::cerr, terminal_columns());
  const auto result = loadgen::run(options.scenario, profile, requirements, command, progress,
                                   {outputs.live_jsonl, outputs.prometheus}, common_start.get());
  bool taken = false;
  for (const std::string& path : {outputs.json, outputs.csv, outputs.hgrm, outputs.hlog, outputs.live_jsonl})
    taken = taken || path == "-";
  tell(loadgen::summary(result, roomcheck::use_colour(taken ? 2 : 1)), taken);
  const auto main_latency = std::string(options.scenario.workloads.front().workload->latency());
  write(outputs.json, to_json(result).dump(2) + "\n");
  write(outputs.csv, reports::to_csv(result, "series"));
  write(outputs.hgrm, reports::to_hgrm(result.latency.at(main_latency).corrected));
  write(outputs.hlog, reports::to_hlog(result));
  return loadgen::exit_code(result);
}

ExitCode capacity(loadgen::Options& options, const std::string& command) {
  const roomcheck::target::Profile profile = loadgen::complete(options);
  roomcheck::require_writable("--json", options.outputs.json);
  loadgen::Progress progress(std::cerr, terminal_columns());
  const loadgen::Capacity found = loadgen::run_capacity(options, profile, progress);
  tell(loadgen::summary(found, options), options.outputs.json == "-");
  write(options.outputs.json, loadgen::to_json_text(found, options, command));
  const bool generator = found.first_to_fail.verdict == loadgen::Step::Verdict::generator;
  return generator ? ExitCode::not_believable : found.load > 0 ? ExitCode::good : ExitCode::verdict_bad;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Loads the rooms of a WebSocket server, open loop, and accounts for every delivery.",
               "loadgen");
  loadgen::Options options;
  loadgen::add_options(app, options);
  return roomcheck::run_program(app, argc, argv, [&] {
    const std::string command = roomcheck::command_line(argc, argv);
    if (app.got_subcommand("capacity")) return capacity(options, command);
    if (app.got_subcommand("run")) return run(options, command);
    std::cout << loadgen::list_metrics();
    return ExitCode::good;
  });
}
