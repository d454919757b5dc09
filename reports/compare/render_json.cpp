#include <nlohmann/json.hpp>

#include "reports/compare/render.h"

namespace roomcheck::reports {
namespace {

using json = nlohmann::ordered_json;

json verdict_json(std::optional<Verdict> verdict) {
  return verdict ? json(to_string(*verdict)) : json(nullptr);
}

json sources(const std::vector<LoadRun>& runs) {
  json out = json::array();
  for (const LoadRun& run : runs) out.push_back(run.source);
  return out;
}

std::string dumped(const json& document) {
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string to_json_text(const LoadComparison& c) {
  json metrics = json::array(), faults = json::array();
  for (const MetricComparison& m : c.metrics) {
    json one{{"path", m.path},
             {"name", m.name},
             {"base", m.base},
             {"new", m.fresh},
             {"base_median", m.base_median},
             {"new_median", m.new_median},
             {"p", m.p},
             {"difference", m.difference == Difference::none ? "none" : to_string(m.difference)},
             {"p_regression", m.p_regression},
             {"max_regression", m.max_regression},
             {"regression", m.regression}};
    if (m.has_ratio) {
      one["ratio"] = m.ratio;
      one["interval"] = {m.interval.low, m.interval.high};
      one["needed_runs"] = m.needed_runs;
    }
    metrics.push_back(one);
  }
  for (const FaultComparison& f : c.faults)
    faults.push_back({{"name", f.name}, {"base", f.base}, {"new", f.fresh}, {"regression", f.regression}});
  return dumped({{"schema", "roomcheck.comparison/1"},
                 {"of", "roomcheck.load/1"},
                 {"verdict", headline(c).word},
                 {"regression", c.regression()},
                 {"can_tell", c.can_tell()},
                 {"paired", c.paired},
                 {"base", sources(c.base)},
                 {"new", sources(c.fresh)},
                 {"set_aside", c.set_aside},
                 {"metrics", metrics},
                 {"faults", faults}});
}

std::string to_json_text(const ConformanceComparison& c, bool strict) {
  json changes = json::array();
  for (const CaseChange& change : c.changes)
    changes.push_back({{"id", change.id},
                       {"level", to_string(change.level)},
                       {"kind", to_string(change.kind)},
                       {"before", verdict_json(change.before)},
                       {"after", verdict_json(change.after)},
                       {"message", change.message}});
  return dumped({{"schema", "roomcheck.comparison/1"},
                 {"of", "roomcheck.conformance/1"},
                 {"verdict", headline(c, strict).word},
                 {"regression", c.regression(strict)},
                 {"cases", c.cases},
                 {"changes", changes}});
}

}  // namespace roomcheck::reports
