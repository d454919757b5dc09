#include <algorithm>
#include <cstdio>

#include "libs/base/units.h"
#include "reports/compare/render.h"
#include "reports/render/charts.h"
#include "reports/render/markup.h"
#include "reports/render/page.h"
#include "reports/render/verdicts.h"

namespace roomcheck::reports {
namespace {

std::string verdict_header(const Headline& h) {
  return "<header class=\"verdict " + std::string(h.tone) + "\"><p class=kind>BASE and NEW</p><h2>" +
         std::string(h.word) + "</h2><p>" + escape(h.sentence) + "</p></header>\n";
}

std::string_view tone(const MetricComparison& m) {
  if (m.regression) return "bad";
  if (m.difference == Difference::worse) return "doubt";
  return m.difference == Difference::better ? "good" : "none";
}

// Where the intervals of all metrics have room, 1 included.
struct Scale {
  double low = 0.97, high = 1.03;

  explicit Scale(const std::vector<MetricComparison>& metrics) {
    for (const MetricComparison& m : metrics) {
      if (!m.has_ratio) continue;
      low = std::min(low, m.interval.low);
      high = std::max({high, m.interval.high, 1 + m.max_regression});
    }
    low = std::max(low, 0.2);
    high = std::min(high, 5.0);
  }
  std::string x(double ratio) const {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", 6 + 188 * (std::clamp(ratio, low, high) - low) / (high - low));
    return text;
  }
};

// Base's median at the thin line, the limit at the dashed one, NEW's ratio and its interval.
std::string interval_picture(const MetricComparison& m, const Scale& scale) {
  if (!m.has_ratio) return "–";
  const double limit = m.more_is_better ? 1 / (1 + m.max_regression) : 1 + m.max_regression;
  const auto upright = [&](const char* name, double at) {
    return "<line class=" + std::string(name) + " x1=" + scale.x(at) + " x2=" + scale.x(at) +
           " y1=1 y2=23 />";
  };
  return "<svg class=\"interval " + std::string(tone(m)) +
         "\" viewBox=\"0 0 200 24\" role=img aria-label=\"" + format_change(m.interval.low) + " to " +
         format_change(m.interval.high) + "\">" + upright("one", 1) + upright("limit", limit) +
         "<line class=range x1=" + scale.x(m.interval.low) + " x2=" + scale.x(m.interval.high) +
         " y1=12 y2=12 /><circle cx=" + scale.x(m.ratio) + " cy=12 r=5 /></svg>";
}

std::string metrics_table(const LoadComparison& c) {
  const Scale scale(c.metrics);
  Table table{{"Metric", "BASE", "NEW", "Change", "95 % interval", "", "p", "Verdict"}, {}, false};
  for (const MetricComparison& m : c.metrics) {
    char p[32];
    std::snprintf(p, sizeof p, "%.3f", m.p);
    table.rows.push_back(
        {"<code class=whole>" + escape(m.name) + "</code>", Cell(format_value(m, m.base_median), 0),
         Cell(format_value(m, m.new_median), 0), Cell(m.has_ratio ? format_change(m.ratio) : "–", 0),
         interval_picture(m, scale),
         m.has_ratio ? format_change(m.interval.low) + " … " + format_change(m.interval.high) : "–", p,
         "<span class=\"tag " + std::string(tone(m)) + "\">" + std::string(to_string(m.difference)) +
             "</span><p class=message>" + escape(judgement(m)) + "</p>"});
  }
  std::string out = "<h3>Metrics</h3>\n<p class=quiet>" + std::to_string(believable(c.base)) + " and " +
                    std::to_string(believable(c.fresh)) + " believable runs. " + method(c) +
                    " Thin line: no change; dashed: the limit.</p>\n" + render(table);
  Table faults{{"Deliveries", "BASE", "NEW", "Verdict"}, {}, false};
  for (const FaultComparison& f : c.faults)
    faults.rows.push_back(
        {f.name, count_cell(f.base), count_cell(f.fresh),
         f.regression ? "<span class=\"tag bad\">" + judgement(f) + "</span>" : judgement(f)});
  return out + "<h3>Deliveries that went wrong</h3>\n" + render(faults);
}

stats::Histogram together(const std::vector<LoadRun>& runs, const std::string& name) {
  stats::Histogram out;
  for (const LoadRun& run : runs)
    if (const auto found = run.result.latency.find(name);
        is_believable(run) && found != run.result.latency.end())
      out.merge(found->second.corrected);
  return out;
}

// Each run as a thin line, and each side's runs together as a thick one: whether the sides differ by more
// than their runs do can be seen.
std::string curves(const LoadComparison& c, const std::string& name, const std::string& title) {
  constexpr std::size_t kThinLines = 20;  // a side
  const stats::Histogram base = together(c.base, name), fresh = together(c.fresh, name);
  std::vector<Curve> all{{"BASE", &base, 1, "solid"}, {"NEW", &fresh, 2, "solid"}};
  const auto add = [&](const std::vector<LoadRun>& runs, int colour) {
    for (std::size_t i = 0; runs.size() > 1 && i < runs.size() && i < kThinLines; ++i)
      if (const auto found = runs[i].result.latency.find(name);
          is_believable(runs[i]) && found != runs[i].result.latency.end())
        all.push_back({runs[i].source, &found->second.corrected, colour, "thin"});
  };
  add(c.base, 1);
  add(c.fresh, 2);
  return percentile_chart(all, "curves-" + name, title,
                          "All runs of a side together, and each run as a thin line. Corrected.");
}

std::string run_by_run(const LoadComparison& c) {
  Table table{{"Run"}, {}, true};
  for (const MetricComparison& m : c.metrics) table.heads.push_back(escape(m.name));
  const auto add = [&](const std::vector<LoadRun>& runs, const char* side, auto values) {
    std::vector<std::string> paths;
    for (const LoadRun& run : runs) paths.push_back(run.source);
    const std::vector<std::string> names = short_names(paths);
    std::vector<std::size_t> next(c.metrics.size());  // a metric may have left runs out
    for (std::size_t i = 0; i < runs.size(); ++i) {
      std::vector<Cell> row{std::string("<b>") + side + "</b> " + escape(names[i])};
      for (std::size_t k = 0; k < c.metrics.size(); ++k) {
        const MetricComparison& m = c.metrics[k];
        if (!c.uses(m, runs, i)) {
          row.push_back(Cell("–", -1));
          continue;
        }
        const double value = (m.*values)[next[k]++];
        row.push_back(Cell(format_value(m, value), static_cast<std::int64_t>(value)));
      }
      table.rows.push_back(std::move(row));
    }
  };
  add(c.base, "BASE", &MetricComparison::base);
  add(c.fresh, "NEW", &MetricComparison::fresh);
  return table.rows.empty() ? "" : "<h3>Run by run</h3>\n" + render(table);
}

std::string about(const LoadComparison& c) {
  std::string out = "<h3>Environment</h3>\n<div class=columns>";
  const std::pair<const char*, const std::vector<LoadRun>*> kSides[] = {{"BASE", &c.base}, {"NEW", &c.fresh}};
  for (const auto& [name, runs] : kSides) {
    if (runs->empty()) continue;
    const LoadResult& r = runs->front().result;
    std::map<std::string, std::string> pairs = r.versions;
    pairs.insert(r.environment.begin(), r.environment.end());
    pairs["target"] = r.target;
    pairs["started"] = r.started;
    out +=
        std::string("<div><h4>") + name + "</h4>" + definition_list(pairs) + code_block(r.command) + "</div>";
  }
  return out + "</div>\n";
}

std::string verdict_cell(std::optional<Verdict> verdict) {
  return verdict ? verdict_tag(*verdict) : "<span class=quiet>not there</span>";
}

}  // namespace

std::string to_html(const LoadComparison& c) {
  const Headline h = headline(c);
  std::string body = verdict_header(h);
  if (!c.set_aside.empty())
    body +=
        "<div class=why><h4>Set aside, not to be believed</h4>" + list_of_text(some_set_aside(c)) +
        (some_set_aside(c).size() == c.set_aside.size() ? ""
                                                        : unfold("All of them", list_of_text(c.set_aside))) +
        "</div>\n";
  body += metrics_table(c) + curves(c, "fan_out", "Latency by percentile, every member") +
          curves(c, "last", "Latency by percentile, last member") + run_by_run(c) + about(c);
  return page("Roomcheck: " + std::string(h.word), "Roomcheck comparison", body, Charts::drawn);
}

std::string to_html(const ConformanceComparison& c, bool strict) {
  const Headline h = headline(c, strict);
  std::string body = verdict_header(h);
  Table table{{"What changed", "Case", "Level", "BASE", "NEW"}, {}, true};
  for (const CaseChange& change : c.changes)
    table.rows.push_back(
        {std::string(to_string(change.kind)),
         "<code>" + escape(change.id) + "</code>" +
             (change.message.empty() ? "" : "<p class=message>" + escape(change.message) + "</p>"),
         std::string(to_string(change.level)), verdict_cell(change.before), verdict_cell(change.after)});
  body +=
      table.rows.empty() ? "<p>Every case has the verdict it had.</p>\n" : "<h3>Cases</h3>\n" + render(table);
  return page("Roomcheck: " + std::string(h.word), "Roomcheck comparison", body, Charts::none);
}

}  // namespace roomcheck::reports
