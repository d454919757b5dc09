#include "reports/render/side_by_side.h"

#include <functional>

#include "libs/base/units.h"
#include "reports/render/charts.h"
#include "reports/render/markup.h"
#include "reports/render/sections.h"

namespace roomcheck::reports {
namespace {

constexpr std::size_t kColours = 8;

struct Column {
  std::string name;
  const LoadResult* run;
};

std::string quantile(const LoadResult& r, const char* latency, double q) {
  const auto found = r.latency.find(latency);
  if (found == r.latency.end() || found->second.corrected.count() == 0) return "–";
  const stats::Histogram& h = found->second.corrected;
  return duration(q >= 1 ? h.max().count() : h.quantile(q).count());
}

Table table_of(const std::vector<Column>& columns) {
  Table table{{""}, {}, false};
  for (const Column& c : columns) table.heads.push_back(escape(c.name));
  const auto row = [&](const std::string& name, const std::function<std::string(const LoadResult&)>& cell) {
    std::vector<Cell> cells{"<span class=whole>" + name + "</span>"};
    for (const Column& c : columns) cells.push_back({cell(*c.run)});
    table.rows.push_back(std::move(cells));
  };
  using R = const LoadResult&;
  row("verdict", [](R r) { return badge(headline(r)); });
  row("target", [](R r) { return "<code>" + escape(r.target) + "</code>"; });
  row("fan-out p50", [](R r) { return quantile(r, "fan_out", .5); });
  row("fan-out p99", [](R r) { return quantile(r, "fan_out", .99); });
  row("fan-out p99.9", [](R r) { return quantile(r, "fan_out", .999); });
  row("fan-out max", [](R r) { return quantile(r, "fan_out", 1); });
  row("last member p99", [](R r) { return quantile(r, "last", .99); });
  row("connect p99", [](R r) { return quantile(r, "connect", .99); });
  row("expected", [](R r) { return format_count(r.delivery.expected); });
  row("lost", [](R r) {
    return r.delivery.lost == 0 ? "0" : "<span class=bad>" + format_count(r.delivery.lost) + "</span>";
  });
  row("duplicated", [](R r) { return format_count(r.delivery.duplicated); });
  row("sends late", [](R r) { return format_count(r.sends.late) + " of " + format_count(r.sends.intended); });
  row("connections failed", [](R r) { return format_count(r.connections.failed); });
  return table;
}

}  // namespace

std::string side_by_side(const std::vector<NamedResult>& results) {
  std::vector<Column> columns;
  for (const NamedResult& named : results)
    if (const auto* run = std::get_if<LoadResult>(&named.result)) columns.push_back({named.source, run});
  if (columns.size() < 2) return "";
  std::vector<std::string> paths;
  for (const Column& c : columns) paths.push_back(c.name);
  const std::vector<std::string> names = short_names(paths);
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i].name = names[i];
  std::vector<Curve> curves;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (const auto found = columns[i].run->latency.find("fan_out"); found != columns[i].run->latency.end())
      curves.push_back({columns[i].name, &found->second.corrected, static_cast<int>(i % kColours) + 1,
                        i < kColours ? "solid" : "dashed"});
  return "<section><h3>Side by side</h3>\n<p class=quiet>One run each: whether a difference means anything "
         "takes "
         "repeated runs and <code>report compare</code>.</p>\n" +
         render(table_of(columns)) +
         percentile_chart(curves, "side-by-side", "Fan-out latency by percentile, side by side",
                          "Corrected.") +
         "</section>\n";
}

}  // namespace roomcheck::reports
