#include "loadgen/capacity_run.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "libs/base/result.h"
#include "libs/base/units.h"
#include "libs/program/program.h"
#include "loadgen/report.h"
#include "loadgen/run.h"

namespace roomcheck::loadgen {
namespace {

std::string rounded(double value) {
  if (value >= 100) return format_count(static_cast<std::uint64_t>(std::llround(value)));
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.3g", value);
  return out.data();
}

bool by_rate(const Options& options) { return options.vary == "rate"; }
std::string unit(const Options& options) { return by_rate(options) ? " messages/s" : " clients"; }

const char* to_text(Step::Verdict verdict) {
  return verdict == Step::Verdict::met ? "met" : verdict == Step::Verdict::missed ? "missed" : "generator";
}

std::string line(const Step& step, const Options& options) {
  return rounded(step.load) + unit(options) + " for " + format_duration(step.duration) + ": " +
         to_text(step.verdict) + (step.why.empty() ? "" : ", " + step.why);
}

Step judge(const reports::LoadResult& result, const Scenario& scenario) {
  Step step;
  step.deliveries = static_cast<double>(result.delivery.delivered) * 1e9 /
                    static_cast<double>(std::max<std::int64_t>(1, result.duration_ns));
  if (!result.failed_because.empty()) {
    step.verdict = Step::Verdict::missed;
    step.why = result.failed_because.front();
    return step;
  }
  // What the target does not read we cannot send; that is its doing.
  const bool unread =
      result.invalid_because.size() == 1 && result.sends.dropped * 100 > result.sends.intended;
  if (!result.valid && !unread) {
    step.verdict = Step::Verdict::generator;
    step.why = result.invalid_because.front();
    return step;
  }
  if (unread) {
    step.verdict = Step::Verdict::missed;
    step.why = "it did not read what was sent to it";
  }
  for (const reports::Threshold& threshold : result.thresholds)
    if (!threshold.passed) {
      step.verdict = Step::Verdict::missed;
      step.why = threshold.expression + " was " + reports::format_measured(threshold);
    }
  if (result.connections.failed > 0) {
    step.verdict = Step::Verdict::missed;
    step.why = format_count(result.connections.failed) + " of " + format_count(scenario.clients()) +
               " connections did not open";
  }
  return step;
}

}  // namespace

Capacity run_capacity(const Options& options, const target::Profile& profile, Progress& progress) {
  const auto shape = to_json(blank_result(options.scenario, profile, ""));
  const auto requirements = reports::with_defaults(reports::parse_requirements(options.slo, shape));
  const WorkloadPlan& plan = options.scenario.workloads.front();
  Search search;
  search.step = options.step;
  search.precision = options.precision;
  search.whole = !by_rate(options);
  search.to = options.to;
  search.from = options.from > 0 ? options.from : (by_rate(options) ? plan.rate : plan.clients) / 10.0;
  if (search.whole) search.from = std::max<double>(plan.rooms, std::floor(search.from));
  if (search.precision < 0.001 || search.step < std::chrono::milliseconds(100) || search.from <= 0 ||
      search.to < 0)
    throw BadInput("capacity: --precision is from 0.1%, --step from 100ms, --from and --to are above 0");

  return search_capacity(search, [&](double load, std::chrono::nanoseconds duration) {
    Scenario scenario = options.scenario;
    WorkloadPlan& varied = scenario.workloads.front();
    if (by_rate(options)) {
      varied.rate = load;
    } else {
      varied.clients = static_cast<std::uint32_t>(load);
    }
    scenario.stages.front().duration = duration;
    validate(scenario, profile);
    Step step = judge(run(scenario, profile, requirements, "", progress, {}), scenario);
    step.load = load;
    step.duration = duration;
    std::cerr << line(step, options) << std::endl;
    return step;
  });
}

std::string summary(const Capacity& c, const Options& options) {
  std::string out;
  if (c.load > 0) {
    out =
        "capacity     " + rounded(c.load) + unit(options) + ", " + rounded(c.deliveries) + " deliveries/s\n";
  } else {
    out = "capacity     none: not even the lowest load met the service level\n";
  }
  if (c.first_to_fail.load == 0) return out + "gave first   nobody: the limit of --to was met\n";
  const bool target = c.first_to_fail.verdict == Step::Verdict::missed;
  return out + "gave first   " +
         (target ? "the target: at " : "this generator, so the target may do more: at ") +
         rounded(c.first_to_fail.load) + unit(options) + " " + c.first_to_fail.why + "\n";
}

std::string to_json_text(const Capacity& c, const Options& options, const std::string& command) {
  using json = nlohmann::ordered_json;
  const auto step_json = [](const Step& step) {
    return json{{"load", step.load},
                {"duration_ns", step.duration.count()},
                {"verdict", to_text(step.verdict)},
                {"why", step.why},
                {"deliveries_per_second", step.deliveries}};
  };
  auto steps = json::array();
  for (const Step& step : c.steps) steps.push_back(step_json(step));
  const char* gave = c.first_to_fail.load == 0                             ? "nobody"
                     : c.first_to_fail.verdict == Step::Verdict::generator ? "generator"
                                                                           : "target";
  return json{{"schema", "roomcheck.capacity/1"},
              {"command", command},
              {"versions", {{"roomcheck", version()}}},
              {"scenario", to_json(options.scenario)},
              {"slo", options.slo},
              {"vary", options.vary},
              {"load", c.load},
              {"deliveries_per_second", c.deliveries},
              {"gave_first", gave},
              {"first_to_fail", step_json(c.first_to_fail)},
              {"steps", steps}}
             .dump(2) +
         "\n";
}

}  // namespace roomcheck::loadgen
