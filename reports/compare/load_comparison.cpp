#include "reports/compare/load_comparison.h"

#include <algorithm>
#include <numeric>

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

// Takes out what did not come to its end; names all that is not to be believed.
std::vector<LoadRun> ended(std::vector<LoadRun> runs, std::vector<std::string>& set_aside) {
  for (const LoadRun& run : runs) {
    if (is_believable(run)) continue;
    const LoadResult& r = run.result;
    const auto& why = r.failed_because.empty() ? r.invalid_because : r.failed_because;
    set_aside.push_back(run.source + (why.empty() ? "" : " (" + why.front() + ")"));
  }
  runs.erase(std::remove_if(runs.begin(), runs.end(),
                            [](const LoadRun& run) { return !run.result.failed_because.empty(); }),
             runs.end());
  return runs;
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool more_is_better(const std::string& path) {
  for (const char* word : {".delivered", ".sent", ".opened"})
    if (ends_with(path, word)) return true;
  return false;
}

// A run and its result as the file has it.
struct Document {
  bool believable;
  Json json;
};

std::vector<Document> documents(const std::vector<LoadRun>& runs) {
  std::vector<Document> out;
  for (const LoadRun& run : runs) out.push_back({is_believable(run), to_json(run.result)});
  return out;
}

std::vector<double> values(const std::vector<Document>& documents, const MetricComparison& m) {
  std::vector<double> out;
  for (const Document& document : documents)
    if (document.believable || m.of_all_runs) {
      if (full_path(m.path, document.json).empty())
        throw BadInput("--metric " + m.name + ": not every run has this number");
      out.push_back(number_at_path(document.json, m.path));
    }
  return out;
}

MetricComparison measure(const std::string& name, const std::string& path, const std::vector<Document>& base,
                         const std::vector<Document>& fresh, const CompareOptions& options) {
  MetricComparison m;
  m.path = path;
  m.name = name;
  m.is_time = ends_with(path, "_ns");
  m.more_is_better = more_is_better(path);
  m.of_all_runs = path.compare(0, kTargetProcess.size(), kTargetProcess) == 0;
  m.base = values(base, m);
  m.fresh = values(fresh, m);
  const auto given = options.max_regression_of.find(name);
  m.max_regression = given == options.max_regression_of.end() ? options.max_regression : given->second;
  if (m.base.empty() || m.fresh.empty()) return m;
  m.base_median = median(m.base);
  m.new_median = median(m.fresh);
  const auto positive = [](double v) { return v > 0; };
  m.has_ratio = std::all_of(m.base.begin(), m.base.end(), positive) &&
                std::all_of(m.fresh.begin(), m.fresh.end(), positive);
  if (m.has_ratio) {
    m.ratio = m.new_median / m.base_median;
    m.interval = bootstrap_ratio(m.base, m.fresh, 0.95, options.seed);
  }
  m.p = mann_whitney(m.base, m.fresh).p;
  return m;
}

void judge(MetricComparison& m, std::size_t metrics, double level) {
  if (m.p < level && m.new_median != m.base_median)
    m.difference =
        (m.new_median > m.base_median) == m.more_is_better ? Difference::better : Difference::worse;
  if (m.difference == Difference::worse) {
    const double loss = m.more_is_better ? 1 / m.ratio - 1 : m.ratio - 1;
    m.regression = !m.has_ratio || loss > m.max_regression;
  }
  if (m.has_ratio)
    m.needed_runs = needed_runs(m.base, m.fresh, 1 + (m.max_regression > 0 ? m.max_regression : 0.05),
                                level / static_cast<double>(metrics));
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
  return smallest_p(m.base.size(), m.fresh.size()) * static_cast<double>(metrics.size()) < level;
}

bool LoadComparison::can_tell() const {
  return !metrics.empty() &&
         std::all_of(metrics.begin(), metrics.end(), [this](const auto& m) { return can_tell(m); });
}

bool LoadComparison::regression() const {
  return std::any_of(metrics.begin(), metrics.end(), [](const auto& m) { return m.regression; }) ||
         std::any_of(faults.begin(), faults.end(), [](const auto& f) { return f.regression; });
}

LoadComparison compare(std::vector<LoadRun> base, std::vector<LoadRun> fresh, const CompareOptions& options) {
  require_one_scenario(base, fresh);
  const Json shape = to_json(base.front().result);
  LoadComparison out;
  out.level = options.level;
  out.base = ended(std::move(base), out.set_aside);
  out.fresh = ended(std::move(fresh), out.set_aside);

  const std::vector<Document> base_documents = documents(out.base), fresh_documents = documents(out.fresh);
  const std::vector<std::string> names = options.metrics.empty() ? default_metrics(out) : options.metrics;
  for (const std::string& name : names) {
    const std::string path = full_path(name, shape);
    if (path.empty())
      throw BadInput("--metric " + name + ": a result has no such number; did you mean " +
                     nearest_path(name, shape) + "?");
    out.metrics.push_back(measure(name, path, base_documents, fresh_documents, options));
  }
  for (const auto& [name, limit] : options.max_regression_of)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw BadInput("--max-regression " + name + "=...: it is not compared; add --metric " + name);

  std::vector<double> p;
  for (const MetricComparison& m : out.metrics) p.push_back(m.p);
  p = holm(p);
  for (std::size_t i = 0; i < p.size(); ++i) {
    out.metrics[i].p = p[i];
    judge(out.metrics[i], p.size(), options.level);
  }
  out.least_runs = 1;
  const auto tests = static_cast<double>(std::max<std::size_t>(1, p.size()));
  while (smallest_p(out.least_runs, out.least_runs) * tests >= options.level) ++out.least_runs;

  out.faults = {compare_faults("lost", &Delivery::lost, out, options.level),
                compare_faults("duplicated", &Delivery::duplicated, out, options.level),
                compare_faults("reordered", &Delivery::reordered, out, options.level),
                compare_faults("foreign", &Delivery::foreign, out, options.level),
                compare_faults("corrupt", &Delivery::corrupt, out, options.level)};
  return out;
}

}  // namespace roomcheck::reports
