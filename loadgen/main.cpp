#include <sys/ioctl.h>
#include <unistd.h>

#include <iostream>

#include "libs/program/files.h"
#include "libs/program/program.h"
#include "loadgen/options.h"
#include "loadgen/report.h"
#include "loadgen/run.h"
#include "loadgen/summary.h"

namespace {

// 0 when stderr is no terminal.
unsigned terminal_columns() {
  winsize size{};
  if (::isatty(STDERR_FILENO) == 0) return 0;
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

int main(int argc, char** argv) {
  namespace loadgen = roomcheck::loadgen;
  namespace reports = roomcheck::reports;
  CLI::App app("Loads the rooms of a WebSocket server, open loop, and accounts for every delivery.",
               "loadgen");
  loadgen::Options options;
  loadgen::add_options(app, options);
  return roomcheck::run_program(app, argc, argv, [&] {
    const roomcheck::target::Profile profile = loadgen::complete(options);
    const std::string command = roomcheck::command_line(argc, argv);
    const auto shape = to_json(loadgen::blank_result(options.scenario, profile, command));
    const auto requirements = reports::with_defaults(reports::parse_requirements(options.thresholds, shape));
    roomcheck::require_writable("--json", options.json);
    loadgen::Progress progress(std::cerr, terminal_columns());
    const auto result = loadgen::run(options.scenario, profile, requirements, command, progress);
    // The file may be meant for stdout; then what is for people goes to stderr.
    const bool to_stdout = options.json == "-";
    (to_stdout ? std::cerr : std::cout)
        << loadgen::summary(result, roomcheck::use_colour(to_stdout ? 2 : 1)) << std::flush;
    if (!options.json.empty()) roomcheck::write_file(options.json, to_json(result).dump(2) + "\n");
    return loadgen::exit_code(result);
  });
}
