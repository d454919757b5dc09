#include "libs/program/program.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "libs/base/result.h"
#include "libs/base/units.h"
#include "libs/program/memory.h"
#include "version.h"

namespace roomcheck {
namespace {

// --max-message-size -> ROOMCHECK_MAX_MESSAGE_SIZE, for every option of the app and its subcommands.
void name_environment(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;
    std::string name = option->get_lnames().front();
    if (name == "help" || name == "version") continue;
    for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    option->envname("ROOMCHECK_" + name);
  }
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) name_environment(*sub);
}

int complain(const std::string& program, std::string_view sentence, ExitCode code) {
  std::cout << std::flush;
  std::cerr << program << ": " << sentence << '\n';
  return static_cast<int>(code);
}

template <class T, class Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, T& value, const std::string& help,
                        const std::string& type, Parse parse, const std::string& shown) {
  return app
      .add_option_function<std::string>(
          name,
          [name, &value, parse](const std::string& text) {
            try {
              value = parse(text);
            } catch (const BadInput& e) {
              throw CLI::ValidationError(name, e.what());
            }
          },
          help)
      ->type_name(type)
      ->default_str(shown);
}

}  // namespace

int run_program(CLI::App& app, int argc, char** argv, const std::function<ExitCode()>& body) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may grow no more is an error of write(), said in a sentence
  watch_memory(app.get_name());
  std::string level = "info";
  app.set_version_flag("--version", app.get_name() + " " + ROOMCHECK_VERSION);
  app.set_config("--config", "", "Read options from a TOML file");
  app.add_option("--log-level", level, "What to log on stderr")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  name_environment(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    return complain(app.get_name(), std::string(e.what()) + " (see --help)", ExitCode::usage);
  }
  const auto logger = spdlog::stderr_color_mt(app.get_name());
  logger->set_pattern("%H:%M:%S.%e %^%l%$ %v");
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(logger);
  try {
    const ExitCode code = body();
    return static_cast<int>(memory_ran_out() ? ExitCode::failed : code);
  } catch (const BadInput& e) {
    return complain(app.get_name(), e.what(), ExitCode::usage);
  } catch (const StartFailure& e) {
    return complain(app.get_name(), e.what(), ExitCode::failed);
  } catch (const std::exception& e) {
    return complain(app.get_name(), std::string("this is a bug in roomcheck, please report it: ") + e.what(),
                    ExitCode::failed);
  }
}

std::string_view version() { return ROOMCHECK_VERSION; }

std::string command_line(int argc, char** argv) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+";
  std::string out;
  for (int i = 0; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (i > 0) out += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) {
      out += word;
      continue;
    }
    out += '\'';
    for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    out += '\'';
  }
  return out;
}

bool use_colour(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(descriptor) != 0 && (no_color == nullptr || *no_color == '\0');
}

CLI::Option* add_duration(CLI::App& app, const std::string& name, std::chrono::nanoseconds& value,
                          const std::string& help) {
  return add_parsed(app, name, value, help, "DURATION", parse_duration, format_duration(value));
}

CLI::Option* add_size(CLI::App& app, const std::string& name, std::uint64_t& value, const std::string& help) {
  return add_parsed(app, name, value, help, "SIZE", parse_size, format_size(value));
}

CLI::Option* add_fraction(CLI::App& app, const std::string& name, double& value, const std::string& help) {
  return add_parsed(app, name, value, help, "FRACTION", parse_fraction, std::to_string(value));
}

}  // namespace roomcheck
