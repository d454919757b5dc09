#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

// Not its header: that costs every file that includes it three seconds of compile time.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace roomcheck {

// The exit codes of every program (docs: README, "Exit codes"). They are API.
//
// If you add a value here: README, docs/SPEC.md is unaffected, and the golden tests of each program.
enum class ExitCode : int {
  good = 0,
  verdict_bad = 1,    // a MUST failed, a threshold missed, a regression
  usage = 2,          // usage or bad input
  failed = 3,         // the target or the harness failed
  not_believable = 4  // the run is not to be believed
};

// Runs a program's main: what is the same for all of them.
//
// The caller fills `app` with its options before (long options only are enough); this adds --version,
// --config FILE (TOML), --log-level and the environment name ROOMCHECK_<OPTION> for every option, parses,
// sends spdlog to stderr and runs `body`. CLI errors and BadInput become one sentence on stderr and exit code
// 2, StartFailure 3, any other exception 3 (our own bug, said as such), memory that runs out 3 (memory.h).
// SIGPIPE and SIGXFSZ are ignored.
//
// `argv[0]` does not matter; `app` carries the name, description, and (in footer) the examples.
int run_program(CLI::App& app, int argc, char** argv, const std::function<ExitCode()>& body);

// "0.1.0"
std::string_view version();
// The command line as a person could type it again, quoted for a POSIX shell.
std::string command_line(int argc, char** argv);

// True when colour may be used on this descriptor: a terminal, and NO_COLOR is unset or empty.
bool use_colour(int descriptor);

// CLI11 validators that turn BadInput of a parser of ours into a CLI error that names the option.
CLI::Option* add_duration(CLI::App& app, const std::string& name, std::chrono::nanoseconds& value,
                          const std::string& help);
CLI::Option* add_size(CLI::App& app, const std::string& name, std::uint64_t& value, const std::string& help);
CLI::Option* add_fraction(CLI::App& app, const std::string& name, double& value, const std::string& help);

}  // namespace roomcheck
