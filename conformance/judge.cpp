#include "conformance/judge.h"

#include <fnmatch.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <random>

#include "conformance/catalog.h"
#include "conformance/check.h"
#include "conformance/deviations.h"
#include "conformance/discovery.h"
#include "conformance/hints.h"
#include "conformance/launcher.h"
#include "conformance/output.h"
#include "conformance/runner.h"
#include "conformance/schedule.h"
#include "conformance/verdict.h"
#include "conformance/written.h"
#include "libs/base/result.h"
#include "libs/base/units.h"
#include "libs/program/limits.h"
#include "libs/program/memory.h"

namespace roomcheck::conformance {
namespace {

using reports::CaseResult;
using reports::Verdict;

// What a run needs of the outside world, made from the options. Throws BadInput, StartFailure.
struct Equipment {
  std::unique_ptr<target::Control> control;
  std::unique_ptr<Launcher> launcher;
  Run run;
};

Equipment equip(const Options& o, const target::Profile& profile) {
  if (o.targets.empty())
    throw BadInput(
        "--target is missing: the address of the server to judge, for example ws://127.0.0.1:8801");
  Equipment out;
  Run& run = out.run;
  for (const std::string& target : o.targets) {
    run.targets.push_back(websocket::parse_url(target));
    if (run.targets.back().scheme != "ws" && run.targets.back().scheme != "wss")
      throw BadInput("--target " + target + ": expected ws:// or wss://");
  }
  if (!o.start.empty() && o.start.size() != o.targets.size())
    throw BadInput("--start is given " + std::to_string(o.start.size()) + " times and --target " +
                   std::to_string(o.targets.size()) + " times: give one --start for each --target, or none");
  if (!o.control.empty())
    out.control = target::make_control(o.control, o.control_token, std::chrono::seconds(10));
  run.profile = profile;
  run.control = out.control.get();
  run.tls.ca_file = o.ca.empty() ? profile.tls_ca : o.ca;
  run.tls.verify = !o.insecure;
  if (!o.start.empty()) {
    out.launcher = std::make_unique<Launcher>(o.start, run.targets, o.start_timeout);
    out.launcher->start();
    run.started = out.launcher.get();
  }
  return out;
}

// Letters that begin every room name of the run.
std::string run_id(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string out;
  for (int i = 0; i < 6; ++i) out += static_cast<char>('a' + random() % 26);
  return out;
}

// Each case is a GoogleTest test, so that --gtest_filter, --gtest_shuffle and sharding work; what is printed
// is ours. A test's body only waits for its result: the cases themselves run in a Schedule's threads.
class CaseTest : public testing::Test {
 public:
  explicit CaseTest(std::function<void()> body) : body_(std::move(body)) {}
  void TestBody() override { body_(); }

 private:
  std::function<void()> body_;
};

// Runs the chosen cases as many rounds as GoogleTest asks for, and adds up what they say.
class Rounds final : public testing::EmptyTestEventListener {
 public:
  Rounds(const Options& options, Runner& runner, const std::vector<Case>& cases, const Deviations& deviations,
         TraceDirectory* trace)
      : options_(options),
        runner_(runner),
        cases_(cases),
        deviations_(deviations),
        trace_(trace),
        sums_(cases.size()) {}

  void OnTestIterationStart(const testing::UnitTest& tests, int) override {
    if (lost_) return;
    Schedule::Plan plan;
    for (int s = 0; s < tests.total_test_suite_count(); ++s) {
      const testing::TestSuite& suite = *tests.GetTestSuite(s);
      for (int t = 0; t < suite.total_test_count(); ++t) {
        const testing::TestInfo& test = *suite.GetTestInfo(t);
        if (!test.should_run()) continue;
        const std::size_t slot = slot_of(std::string(suite.name()) + "." + test.name());
        plan.cases.emplace_back(slot, &cases_[slot]);
      }
    }
    plan.jobs = options_.jobs;
    plan.observe = options_.observe;
    plan.judge = [this](CaseResult& result) { judge_one(result); };
    if (options_.fail_fast)
      plan.stop_when = [this](const CaseResult& result) { return fails_the_run(result, options_.strict); };
    if (trace_ != nullptr)
      plan.trace = [this](const Case& c, const Context& context) { trace_->keep(c, context); };
    schedule_ = std::make_unique<Schedule>(runner_, std::move(plan));
  }

  void OnTestIterationEnd(const testing::UnitTest&, int) override {
    if (schedule_) lost_ = schedule_->lost();
    schedule_.reset();
  }

  // A test's body. Prints one case's result of this round.
  void wait_for(std::size_t slot) {
    const auto result = schedule_ ? schedule_->wait(cases_[slot]) : std::nullopt;
    if (!result) return;
    print(*result);
    Sum& sum = sums_[slot];
    ++sum.rounds;
    sum.bad += result->verdict == Verdict::fail || result->verdict == Verdict::crash ? 1 : 0;
    if (!sum.result)
      sum.result = *result;
    else
      (void)take_worse(*sum.result, *result);
  }

  // What came late at any connection; printed where it changes a verdict.
  void settle() {
    for (Runner::Late& late : runner_.settle()) {
      std::optional<CaseResult>& sum = sums_[late.slot].result;
      if (!sum) continue;
      late.result.id = sum->id;
      late.result.requirement = sum->requirement;
      judge_one(late.result);
      if (!take_worse(*sum, late.result)) continue;
      if (!quiet()) std::cout << "at the end of the run:\n";
      print(*sum);
    }
  }

  // In the catalogue's order, whatever order they ran in.
  std::vector<CaseResult> results() const {
    std::vector<CaseResult> out;
    for (const Sum& sum : sums_) {
      if (!sum.result) continue;
      out.push_back(*sum.result);
      if (sum.bad > 0 && sum.rounds > 1)
        out.back().message +=
            " (in " + std::to_string(sum.bad) + " of " + std::to_string(sum.rounds) + " rounds)";
    }
    return out;
  }

  const std::optional<std::string>& lost() const { return lost_; }

 private:
  struct Sum {
    std::optional<CaseResult> result;  // the worst of all rounds
    int rounds = 0, bad = 0;
  };

  void judge_one(CaseResult& result) const {
    deviations_.judge(result);
    if (result.verdict != Verdict::pass && result.verdict != Verdict::informational &&
        result.verdict != Verdict::skipped)
      result.look_at = what_to_look_at(result.requirement);
  }
  std::size_t slot_of(const std::string& id) const {
    return static_cast<std::size_t>(
        std::find_if(cases_.begin(), cases_.end(), [&id](const Case& c) { return c.id == id; }) -
        cases_.begin());
  }
  bool quiet() const { return options_.json == "-" || options_.junit == "-"; }
  void print(const CaseResult& result) const {
    if (!quiet()) std::cout << describe(result, colour_) << std::flush;
  }

  const Options& options_;
  Runner& runner_;
  const std::vector<Case>& cases_;
  const Deviations& deviations_;
  TraceDirectory* const trace_;
  const bool colour_ = use_colour(STDOUT_FILENO);
  std::unique_ptr<Schedule> schedule_;  // of this round
  std::vector<Sum> sums_;               // by slot
  std::optional<std::string> lost_;
};

void run_all(Rounds& rounds, const std::vector<Case>& cases, int repeat, int& argc, char** argv) {
  testing::GTEST_FLAG(repeat) = repeat;
  testing::InitGoogleTest(&argc, argv);
  for (std::size_t slot = 0; slot < cases.size(); ++slot) {
    const Case& c = cases[slot];
    const std::string name = c.id.substr(c.section().size() + 1);
    testing::RegisterTest(c.section().c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [&rounds, slot]() -> testing::Test* {
                            return new CaseTest([&rounds, slot] { rounds.wait_for(slot); });
                          });
  }
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  listeners.Append(&rounds);
  const int failed = cases.empty() ? 0 : RUN_ALL_TESTS();
  (void)listeners.Release(&rounds);  // it is not GoogleTest's to delete
  if (failed != 0) throw std::logic_error("a test's body threw");
}

}  // namespace

std::vector<Case> chosen(const std::vector<std::string>& patterns, const std::string& shard) {
  std::vector<Case> out = all_cases();
  const auto unwanted = [&](const Case& c) {
    return !patterns.empty() && std::none_of(patterns.begin(), patterns.end(), [&](const std::string& p) {
      return ::fnmatch(p.c_str(), c.id.c_str(), 0) == 0;
    });
  };
  out.erase(std::remove_if(out.begin(), out.end(), unwanted), out.end());
  if (shard.empty()) return out;
  unsigned part = 0, parts = 0;
  char rest = 0;
  if (std::sscanf(shard.c_str(), "%u/%u%c", &part, &parts, &rest) != 2 || part < 1 || part > parts)
    throw BadInput("--shard " + shard + ": expected I/N with I from 1 to N, for example 2/4");
  std::vector<Case> mine;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (i % parts == part - 1) mine.push_back(out[i]);
  return mine;
}

ExitCode judge(const Options& options, const target::Profile& profile, int& argc, char** argv,
               const std::string& command) {
  const Written written(options.json, options.junit, options.html, options.annotate, options.strict);
  const Deviations deviations(options.known_deviations, all_cases());
  std::vector<Case> cases = chosen(options.filter, options.shard);
  std::unique_ptr<TraceDirectory> trace;
  if (!options.trace.empty()) trace = std::make_unique<TraceDirectory>(options.trace);
  require_open_files(1200 + 100 * static_cast<std::uint64_t>(options.jobs), "the suite");

  Equipment equipment = equip(options, profile);
  // A name that is guessed from what one join changes is right only while nobody else of the run joins.
  if (target::Control* const control = equipment.run.control;
      control != nullptr && control->finds_channels() && !control->knows_members())
    for (Case& c : cases)
      if (std::find(c.needs.begin(), c.needs.end(), "direct") != c.needs.end()) c.how = How::alone;
  const std::uint64_t seed = options.seed != 0 ? options.seed : std::random_device{}() | 1U;
  equipment.run.id = run_id(seed);
  if (equipment.run.control != nullptr && equipment.run.profile.group == "discover")
    equipment.run.profile.group = discover_group(equipment.run);
  Runner runner(equipment.run, equipment.launcher.get(), options.timeout_scale);
  runner.calibrate();

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
  result.control = equipment.control ? equipment.control->describe() : "none";
  result.seed = seed;

  keep_memory_reserve([] {});  // the schedule looks at memory_ran_out()
  Rounds rounds(options, runner, cases, deviations, trace.get());
  run_all(rounds, cases, options.repeat, argc, argv);
  rounds.settle();
  result.cases = rounds.results();
  result.verdict = verdict_of(result, options.strict);

  if (result.cases.empty())
    std::cerr << "conformance: no case matches, so nothing was judged (--list names the cases)\n";
  else if (rounds.lost())
    std::cerr << "conformance: " << *rounds.lost() << "; what was not run is marked so\n";
  else if (options.fail_fast && result.cases.size() < cases.size())
    std::cerr << "conformance: ended after the first failure; " << cases.size() - result.cases.size()
              << " cases were not run\n";
  if (trace) trace->check();
  written.write(result);
  if (options.json != "-" && options.junit != "-") {
    if (options.durations > 0) std::cout << slowest(result, static_cast<std::size_t>(options.durations));
    std::cout << summarise(result, use_colour(STDOUT_FILENO));
  }
  return exit_code(result, options.require_complete, rounds.lost().has_value());
}

ExitCode check(const Options& options, const target::Profile& profile) {
  Equipment equipment = equip(options, profile);
  equipment.run.id = run_id(options.seed != 0 ? options.seed : std::random_device{}());
  equipment.run.limit = Nanoseconds(
      static_cast<std::int64_t>(static_cast<double>(equipment.run.limit.count()) * options.timeout_scale));
  const std::vector<Finding> findings = check_profile(equipment.run);
  std::cout << describe(findings, use_colour(STDOUT_FILENO));
  return all_right(findings) ? ExitCode::good : ExitCode::verdict_bad;
}

}  // namespace roomcheck::conformance
