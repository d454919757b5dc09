#include "reports/compare/load_comparison.h"

#include <algorithm>
#include <cmath>

#include "libs/base/result.h"
#include "reports/model/thresholds.h"

namespace roomcheck::reports {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kTargetProcess = "target_process.";

// What is judged unless --metric says otherwise: of each kind of delivery that was measured the middle and
// the tail, of a message its last member; where it is known, the target's CPU time. Few, for each further
// metric makes all of them harder to tell.
constexpr const char* kMetrics[] = {"fan_out.p50", "fan_out.p99", "last.p50",   "last.p99", "push.p50",
                                    "push.p99",    "direct.p50",  "direct.p99", "echo.p50", "echo.p99"};

bool measured(const LoadResult& result, const std::string& metric) {
  const auto found = result.latency.find(metric.substr(0, metric.find('.')));
  return found != result.latency.end() && found->second.corrected.count() > 0;
}

std::vector<std::string> default_metrics(const LoadComparison& c) {
  std::vector<std::string> out;
  if (c.base.empty() && c.fresh.empty()) return out;
  const auto everywhere = [](const std::vector<LoadRun>& runs, const std::string& metric) {
    return std::all_of(runs.begin(), runs.end(),
                       [&](const LoadRun& run) { return measured(run.result, metric); });
  };
  const std::string cpu = std::string(kTargetProcess) + "cpu_per_delivery";
  const auto has_process = [](const LoadRun& run) { return run.result.target_process.has_value(); };
  if (std::all_of(c.base.begin(), c.base.end(), has_process) &&
      std::all_of(c.fresh.begin(), c.fresh.end(), has_process))
    out.push_back(cpu);
  for (const char* metric : kMetrics)
    if (everywhere(c.base, metric) && everywhere(c.fresh, metric)) out.push_back(metric);
  return out;
}

// The first place where two scenarios differ, as a JSON pointer; "" when they are one. How many nodes the
// target has is part of it, where they are is not: two builds stand on two ports.
std::string difference(const Json& a, const Json& b, const std::string& pointer = "") {
  if (a == b || (pointer == "/targets" && a.size() == b.size())) return "";
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.items()) {
      if (!b.contains(key)) return pointer + "/" + key;
      if (const std::string at = difference(value, b.at(key), pointer + "/" + key); !at.empty()) return at;
    }
    for (const auto& [key, value] : b.items())
      if (!a.contains(key)) return pointer + "/" + key;
    return "";  // the same, in another order
  }
  return pointer.empty() ? "/" : pointer;
}

void require_one_scenario(const std::vector<LoadRun>& base, const std::vector<LoadRun>& fresh) {
  const LoadRun& first = base.front();
  for (const auto* side : {&base, &fresh})
    for (const LoadRun& run : *side)
      if (const std::string at = difference(first.result.scenario, run.result.scenario); !at.empty())
        throw BadInput(run.source + ": its scenario differs from that of " + first.source + " at " + at +
                       ": only runs of one scenario can be compared");
}

// Takes out what did not come to its end, of pairs both; names all that is not to be believed.
void take_out_unended(LoadComparison& c) {
  const auto has_ended = [](const LoadRun& run) { return run.result.failed_because.empty(); };
  for (const auto* side : {&c.base, &c.fresh})
    for (const LoadRun& run : *side) {
      if (is_believable(run)) continue;
      const auto& why = has_ended(run) ? run.result.invalid_because : run.result.failed_because;
      c.set_aside.push_back(run.source + (why.empty() ? "" : " (" + why.front() + ")"));
    }
  std::vector<LoadRun> base, fresh;
  for (std::size_t i = 0; i < std::max(c.base.size(), c.fresh.size()); ++i) {
    const bool base_ended = i < c.base.size() && has_ended(c.base[i]);
    const bool fresh_ended = i < c.fresh.size() && has_ended(c.fresh[i]);
    if (base_ended && (fresh_ended || !c.paired)) base.push_back(std::move(c.base[i]));
    if (fresh_ended && (base_ended || !c.paired)) fresh.push_back(std::move(c.fresh[i]));
  }
  c.base = std::move(base);
  c.fresh = std::move(fresh);
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool more_is_better(const std::string& path) {
  for (const char* word : {".delivered", ".sent", ".opened"})
    if (ends_with(path, word)) return true;
  return false;
}

std::vector<Json> documents(const std::vector<LoadRun>& runs) {
  std::vector<Json> out;
  for (const LoadRun& run : runs) out.push_back(to_json(run.result));
  return out;
}

std::vector<double> values(const LoadComparison& c, const std::vector<LoadRun>& side,
                           const std::vector<Json>& results, const MetricComparison& m) {
  std::vector<double> out;
  for (std::size_t i = 0; i < side.size(); ++i) {
    if (!c.uses(m, side, i)) continue;
    if (full_path(m.path, results[i]).empty())
      throw BadInput("--metric " + m.name + ": not every run has this number");
    out.push_back(number_at_path(results[i], m.path));
  }
  return out;
}

// How far NEW is above BASE when BASE is allowed `factor`: logarithms of ratios, or differences where there
// are none.
std::vector<double> differences(const MetricComparison& m, double factor) {
  std::vector<double> out;
  for (std::size_t i = 0; i < m.base.size(); ++i)
    out.push_back(m.has_ratio ? std::log(m.fresh[i]) - std::log(m.base[i] * factor)
                              : m.fresh[i] - m.base[i] * factor);
  return out;
}

RankTest test(const MetricComparison& m, double factor, bool paired) {
  if (paired) return signed_rank(differences(m, factor));
  std::vector<double> allowed = m.base;
  for (double& value : allowed) value *= factor;
  return mann_whitney(m.fresh, allowed);
}

void measure(MetricComparison& m, const CompareOptions& options) {
  if (m.base.empty() || m.fresh.empty()) return;
  m.base_median = median(m.base);
  m.new_median = median(m.fresh);
  const auto positive = [](double v) { return v > 0; };
  m.has_ratio = std::all_of(m.base.begin(), m.base.end(), positive) &&
                std::all_of(m.fresh.begin(), m.fresh.end(), positive);
  if (m.has_ratio && options.paired) {
    const Shift shift = hodges_lehmann(differences(m, 1), 0.95);
    m.ratio = std::exp(shift.middle);
    m.interval = {std::exp(shift.interval.low), std::exp(shift.interval.high)};
  } else if (m.has_ratio) {
    m.ratio = m.new_median / m.base_median;
    m.interval = bootstrap_ratio(m.base, m.fresh, 0.95, options.seed);
  }
  m.p = test(m, 1, options.paired).p;
  const double allowed = 1 + m.max_regression;
  const RankTest beyond = test(m, m.more_is_better ? 1 / allowed : allowed, options.paired);
  m.p_regression = std::min(1.0, 2 * (m.more_is_better ? beyond.p_less : beyond.p_greater));
}

// The p values are those of all metrics together by now.
void judge(MetricComparison& m, std::size_t metrics, const CompareOptions& options) {
  const bool differs = m.has_ratio ? m.ratio != 1 : m.new_median != m.base_median;
  const bool more = m.has_ratio ? m.ratio > 1 : m.new_median > m.base_median;
  m.regression = m.p_regression < options.level;
  if (m.regression || (m.p < options.level && differs && more != m.more_is_better))
    m.difference = Difference::worse;
  else if (m.p < options.level && differs)
    m.difference = Difference::better;
  if (!m.has_ratio) return;
  const double seen = 1 + (m.max_regression > 0 ? m.max_regression : 0.05);
  const double level = options.level / static_cast<double>(metrics);
  m.needed_runs = options.paired ? needed_pairs(differences(m, 1), seen, level)
                                 : needed_runs(m.base, m.fresh, seen, level);
}

FaultComparison compare_faults(const char* name, std::uint64_t Delivery::*count, const LoadComparison& c,
                               double level) {
  FaultComparison out;
  out.name = name;
  const auto rates = [&](const std::vector<LoadRun>& runs, std::uint64_t& total) {
    std::vector<double> all;
    for (const LoadRun& run : runs) {
      if (!is_believable(run)) continue;
      const Delivery& d = run.result.delivery;
      total += d.*count;
      all.push_back(static_cast<double>(d.*count) /
                    static_cast<double>(std::max<std::uint64_t>(d.expected, 1)));
    }
    return all;
  };
  const std::vector<double> base = rates(c.base, out.base), fresh = rates(c.fresh, out.fresh);
  if (base.empty() || fresh.empty()) return out;
  out.p = mann_whitney(base, fresh).p;
  out.regression = (out.base == 0 && out.fresh > 0) || (out.p < level && median(fresh) > median(base));
  return out;
}

}  // namespace

std::string_view to_string(Difference difference) {
  switch (difference) {
    case Difference::none:
      return "no difference can be told";
    case Difference::better:
      return "better";
    case Difference::worse:
      return "worse";
  }
  return "unknown";
}

bool is_believable(const LoadRun& run) { return run.result.valid && run.result.failed_because.empty(); }

bool LoadComparison::can_tell(const MetricComparison& m) const {
  const double smallest =
      paired ? smallest_p_of_pairs(m.base.size()) : smallest_p(m.base.size(), m.fresh.size());
  return smallest * static_cast<double>(metrics.size()) < level;
}

bool LoadComparison::can_tell() const {
  return !metrics.empty() &&
         std::all_of(metrics.begin(), metrics.end(), [this](const auto& m) { return can_tell(m); });
}

bool LoadComparison::regression() const {
  return std::any_of(metrics.begin(), metrics.end(), [](const auto& m) { return m.regression; }) ||
         std::any_of(faults.begin(), faults.end(), [](const auto& f) { return f.regression; });
}

bool LoadComparison::uses(const MetricComparison& m, const std::vector<LoadRun>& side, std::size_t i) const {
  if (m.of_all_runs) return true;
  return paired ? is_believable(base[i]) && is_believable(fresh[i]) : is_believable(side[i]);
}

LoadComparison compare(std::vector<LoadRun> base, std::vector<LoadRun> fresh, const CompareOptions& options) {
  require_one_scenario(base, fresh);
  if (options.paired && base.size() != fresh.size())
    throw BadInput("--paired: " + std::to_string(base.size()) + " runs of BASE and " +
                   std::to_string(fresh.size()) +
                   " of NEW are no pairs; give each run of --base its own of --new, "
                   "in the same order");
  const Json shape = to_json(base.front().result);
  LoadComparison out;
  out.level = options.level;
  out.paired = options.paired;
  out.base = std::move(base);
  out.fresh = std::move(fresh);
  take_out_unended(out);

  const std::vector<Json> base_results = documents(out.base), fresh_results = documents(out.fresh);
  const std::vector<std::string> names = options.metrics.empty() ? default_metrics(out) : options.metrics;
  for (const std::string& name : names) {
    MetricComparison m;
    m.name = name;
    m.path = full_path(name, shape);
    if (m.path.empty())
      throw BadInput("--metric " + name + ": a result has no such number; did you mean " +
                     nearest_path(name, shape) + "?");
    m.is_time = ends_with(m.path, "_ns");
    m.more_is_better = more_is_better(m.path);
    m.of_all_runs = m.path.compare(0, kTargetProcess.size(), kTargetProcess) == 0;
    const auto given = options.max_regression_of.find(name);
    m.max_regression = given == options.max_regression_of.end() ? options.max_regression : given->second;
    m.base = values(out, out.base, base_results, m);
    m.fresh = values(out, out.fresh, fresh_results, m);
    measure(m, options);
    out.metrics.push_back(std::move(m));
  }
  for (const auto& [name, limit] : options.max_regression_of)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw BadInput("--max-regression " + name + "=...: it is not compared; add --metric " + name);

  std::vector<double> p, p_regression;
  for (const MetricComparison& m : out.metrics) {
    p.push_back(m.p);
    p_regression.push_back(m.p_regression);
  }
  p = holm(p);
  p_regression = holm(p_regression);
  for (std::size_t i = 0; i < p.size(); ++i) {
    out.metrics[i].p = p[i];
    out.metrics[i].p_regression = p_regression[i];
    judge(out.metrics[i], p.size(), options);
  }
  const auto tests = static_cast<double>(std::max<std::size_t>(1, p.size()));
  const auto smallest = [&](std::size_t n) { return out.paired ? smallest_p_of_pairs(n) : smallest_p(n, n); };
  out.least_runs = 1;
  while (smallest(out.least_runs) * tests >= options.level) ++out.least_runs;

  out.faults = {compare_faults("lost", &Delivery::lost, out, options.level),
                compare_faults("duplicated", &Delivery::duplicated, out, options.level),
                compare_faults("reordered", &Delivery::reordered, out, options.level),
                compare_faults("foreign", &Delivery::foreign, out, options.level),
                compare_faults("corrupt", &Delivery::corrupt, out, options.level)};
  return out;
}

}  // namespace roomcheck::reports
