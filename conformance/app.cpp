#include "conformance/app.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "conformance/judge.h"
#include "conformance/options.h"
#include "conformance/selftest/selftest.h"
#include "libs/base/result.h"
#include "libs/program/files.h"
#include "libs/program/program.h"
#include "libs/target/profile.h"

namespace roomcheck::conformance {
namespace {

constexpr const char* kExamples = R"(Examples:
  conformance --target ws://127.0.0.1:8801 --control http://127.0.0.1:8802
  conformance --target ws://127.0.0.1:8000 --profile channels-tutorial --check
  conformance --target ws://127.0.0.1:8000 --profile channels-tutorial --filter 'groups.*' --known-deviations daphne.txt
  conformance --target wss://chat.example --profile mine.json --set room.path=/chat/{room} --json result.json
  conformance --target ws://127.0.0.1:8000 --start 'node server.js {port}' --jobs 4 --html result.html
  conformance --list
  conformance --self-test          the suite's proof that each requirement's cases can fail

Ends with PASS, FAIL, PARTIAL (something could not be asked; exit 0) or INVALID (nothing was proved; exit 4).)";

void list(const std::vector<Case>& cases, const std::string& json) {
  if (json.empty()) {
    for (const Case& c : cases) {
      std::string id = c.id, level(reports::to_string(c.level));
      id.resize(std::max<std::size_t>(id.size(), 58), ' ');
      level.resize(7, ' ');
      std::cout << id << level << c.sentence << '\n';
    }
    return;
  }
  auto out = nlohmann::ordered_json::array();
  for (const Case& c : cases)
    out.push_back({{"id", c.id},
                   {"requirement", c.requirement},
                   {"level", reports::to_string(c.level)},
                   {"needs", c.needs},
                   {"sentence", c.sentence}});
  write_file(json, out.dump(2) + "\n");
}

}  // namespace

int run(int argc, char** argv) {
  const std::string command = command_line(argc, argv);
  // GoogleTest's own options are taken out before CLI11 sees the line.
  std::vector<char*> ours, theirs{argv[0]};
  for (int i = 0; i < argc; ++i)
    (std::string_view(argv[i]).substr(0, 8) == "--gtest_" ? theirs : ours).push_back(argv[i]);
  int gtest_argc = static_cast<int>(theirs.size());

  CLI::App app("Judges whether a WebSocket room server keeps its contract (docs/SPEC.md).", "conformance");
  app.footer(kExamples);
  Options options;
  add_options(app, options);
  return run_program(app, static_cast<int>(ours.size()), ours.data(), [&] {
    const target::Profile profile =
        target::with_overrides(target::load_profile(options.profile), options.set);
    if (options.list) {
      list(chosen(options.filter, options.shard), options.json);
      return ExitCode::good;
    }
    if (options.print_profile) {
      std::cout << print_profile(profile);
      return ExitCode::good;
    }
    if (!options.self_test.empty()) {
      if (options.self_test != "full" && options.self_test != "caught")
        throw BadInput("--self-test=" + options.self_test + ": expected full or caught");
      SelfTest what;
      what.extent = options.self_test == "caught" ? SelfTest::Extent::caught : SelfTest::Extent::full;
      what.reference_server = options.reference_server;
      what.self = std::filesystem::read_symlink("/proc/self/exe").string();
      if (options.jobs > 1) what.jobs = options.jobs;
      return self_test(what);
    }
    if (options.check) return check(options, profile);
    return judge(options, profile, gtest_argc, theirs.data(), command);
  });
}

}  // namespace roomcheck::conformance
