#include "conformance/app.h"

#include <fnmatch.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "conformance/catalog.h"
#include "conformance/options.h"
#include "conformance/output.h"
#include "conformance/runner.h"
#include "libs/base/result.h"
#include "libs/base/units.h"
#include "libs/program/files.h"
#include "libs/program/limits.h"
#include "libs/program/program.h"
#include "reports/model/junit.h"

namespace roomcheck::conformance {
namespace {

using reports::CaseResult;
using reports::Level;
using reports::Verdict;

constexpr const char* kExamples = R"(Examples:
  conformance --target ws://127.0.0.1:8801 --control http://127.0.0.1:8802
  conformance --target ws://127.0.0.1:8000 --profile channels-tutorial --filter 'groups.*'
  conformance --target wss://chat.example --profile mine.json --set room.path=/chat/{room} --json result.json
  conformance --list

Ends with PASS, FAIL, PARTIAL (something could not be asked; exit 0) or INVALID (nothing was proved; exit 4).)";

std::vector<Case> chosen(const std::vector<std::string>& patterns) {
  std::vector<Case> out = all_cases();
  if (patterns.empty()) return out;
  const auto unwanted = [&](const Case& c) {
    return std::none_of(patterns.begin(), patterns.end(),
                        [&](const std::string& p) { return ::fnmatch(p.c_str(), c.id.c_str(), 0) == 0; });
  };
  out.erase(std::remove_if(out.begin(), out.end(), unwanted), out.end());
  return out;
}

// Each case is a GoogleTest test, so that --gtest_filter, --gtest_shuffle and sharding work; what is printed
// is ours.
class CaseTest : public testing::Test {
 public:
  explicit CaseTest(std::function<void()> body) : body_(std::move(body)) {}
  void TestBody() override { body_(); }

 private:
  std::function<void()> body_;
};

std::string verdict_of(const reports::ConformanceResult& result, bool strict) {
  bool proved = false, failed = false, stuck = false, skipped = false;
  for (const CaseResult& c : result.cases) {
    const bool counts = c.level == Level::must || (strict && c.level == Level::should);
    proved = proved || c.verdict == Verdict::pass || c.verdict == Verdict::known_deviation;
    failed = failed || (counts && (c.verdict == Verdict::fail || c.verdict == Verdict::crash ||
                                   c.verdict == Verdict::unexpected_pass));
    stuck = stuck || c.verdict == Verdict::harness_error || (counts && c.verdict == Verdict::could_not_test);
    skipped = skipped || c.verdict == Verdict::skipped;
  }
  if (failed) return "fail";
  if (!proved || stuck) return "invalid";
  return skipped ? "partial" : "pass";
}

ExitCode exit_code(const reports::ConformanceResult& result, const Options& options) {
  const bool harness = std::any_of(result.cases.begin(), result.cases.end(),
                                   [](const CaseResult& c) { return c.verdict == Verdict::harness_error; });
  if (harness) return ExitCode::failed;
  if (result.verdict == "fail") return ExitCode::verdict_bad;
  if (result.verdict == "invalid" || (result.verdict == "partial" && options.require_complete))
    return ExitCode::not_believable;
  return ExitCode::good;
}

ExitCode judge(const Options& options, const target::Profile& profile, int& argc, char** argv,
               const std::string& command) {
  if (options.targets.empty())
    throw BadInput(
        "--target is missing: the address of the server to judge, for example ws://127.0.0.1:8801");
  const auto control = options.control.empty() ? nullptr
                                               : target::make_control(options.control, options.control_token,
                                                                      std::chrono::seconds(10));
  require_open_files(1200, "the suite");

  Run run;
  for (const std::string& target : options.targets) {
    run.targets.push_back(websocket::parse_url(target));
    if (run.targets.back().scheme != "ws" && run.targets.back().scheme != "wss")
      throw BadInput("--target " + target + ": expected ws:// or wss://");
  }
  run.profile = profile;
  run.control = control.get();
  run.tls.ca_file = options.ca.empty() ? profile.tls_ca : options.ca;
  run.tls.verify = !options.insecure;
  const std::uint64_t seed = options.seed != 0 ? options.seed : std::random_device{}() | 1U;
  std::mt19937_64 random(seed);
  for (int i = 0; i < 6; ++i) run.id += static_cast<char>('a' + random() % 26);

  Runner runner(std::move(run));
  runner.calibrate(options.timeout_scale);

  reports::ConformanceResult result;
  result.started = format_iso8601(wall_now());
  result.command = command;
  utsname kernel{};
  ::uname(&kernel);
  result.versions = {{"roomcheck", std::string(version())},
                     {"kernel", std::string(kernel.sysname) + " " + kernel.release}};
  for (const std::string& target : options.targets)
    result.target += (result.target.empty() ? "" : " ") + target;
  result.profile = profile.name;
  result.control = control ? control->describe() : "none";
  result.seed = seed;

  const bool quiet = options.json == "-" || options.junit == "-";
  const bool colour = use_colour(STDOUT_FILENO);
  const std::vector<Case> cases = chosen(options.filter);
  testing::InitGoogleTest(&argc, argv);
  for (const Case& c : cases) {
    const std::string name = c.id.substr(c.section().size() + 1);
    testing::RegisterTest(c.section().c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [&]() -> testing::Test* {
                            return new CaseTest([&] {
                              result.cases.push_back(runner.run(c));
                              if (!quiet) std::cout << describe(result.cases.back(), colour) << std::flush;
                            });
                          });
  }
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  if (!cases.empty() && RUN_ALL_TESTS() != 0)
    throw std::logic_error("a case ended in an exception that the runner does not know");

  std::vector<Verdict> before;
  for (const CaseResult& c : result.cases) before.push_back(c.verdict);
  runner.settle(result.cases);
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i] != result.cases[i].verdict && !quiet)
      std::cout << "at the end of the run:\n" << describe(result.cases[i], colour);

  result.verdict = verdict_of(result, options.strict);
  if (result.cases.empty())
    std::cerr << "conformance: no case matches, so nothing was judged (--list names the cases)\n";
  if (!options.json.empty()) write_file(options.json, to_json(result).dump(2) + "\n");
  if (!options.junit.empty()) write_file(options.junit, reports::to_junit(result));
  if (!quiet) std::cout << summarise(result, colour);
  return exit_code(result, options);
}

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
      list(chosen(options.filter), options.json);
      return ExitCode::good;
    }
    if (options.print_profile) {
      std::cout << print_profile(profile);
      return ExitCode::good;
    }
    return judge(options, profile, gtest_argc, theirs.data(), command);
  });
}

}  // namespace roomcheck::conformance
