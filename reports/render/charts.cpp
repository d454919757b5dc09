#include "reports/render/charts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "libs/base/result.h"
#include "libs/base/units.h"
#include "reports/render/markup.h"

namespace roomcheck::reports {
namespace {

using json = nlohmann::ordered_json;

constexpr int kPercentilePoints = 400;

// "</script>" and "<!--" cannot occur in what has no '<'.
std::string data_script(const json& data, const std::string& id) {
  std::string out = "<script type=\"application/json\" id=\"" + id + "\">";
  for (const char c : data.dump(-1, ' ', false, json::error_handler_t::replace)) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out + "</script>\n";
}

std::string figure(const std::string& id, const std::string& title, const std::string& caption,
                   const json& data, const Table& table) {
  return "<figure><h3>" + title + "</h3><p class=quiet>" + caption + "</p>\n<div class=chart data-chart=\"" +
         id + "-data\" role=img aria-label=\"" + title + "; its data is in the table below\"></div>\n" +
         data_script(data, id + "-data") + unfold("Data of this chart", render(table)) + "</figure>\n";
}

double milliseconds(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

// The value at 1 - 10^-nines, for ascending `nines`; null beyond the last sample's own place.
json curve(const stats::Histogram& h, const std::vector<double>& nines) {
  json out = json::array();
  const std::vector<stats::Histogram::Bucket> buckets = h.buckets();
  const double total = static_cast<double>(h.count());
  std::size_t at = 0;
  double below = buckets.empty() ? 0 : static_cast<double>(buckets[0].count);
  for (const double x : nines) {
    if (buckets.empty() || x > std::log10(total) + 1e-9) {
      out.push_back(nullptr);
      continue;
    }
    const double rank =
        std::floor(total - total * std::pow(10, -x) + 1e-6) + 1;  // the last place is the largest's
    while (below < rank && at + 1 < buckets.size()) below += static_cast<double>(buckets[++at].count);
    const std::int64_t value = buckets[at].value.count();
    out.push_back(milliseconds(std::min(value, h.max().count())));
  }
  return out;
}

std::string seconds(std::int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ns) / 1e9);
  return text;
}

// Latency of a second without deliveries is unknown, not zero.
json time_or_gap(std::int64_t ns) { return ns > 0 ? json(milliseconds(ns)) : json(nullptr); }
Cell time_or_gap_cell(std::int64_t ns) { return ns > 0 ? time_cell(ns) : Cell("–", -1); }

// [{"from": 0, "to": 3, "name": "connect"}...], in seconds.
json phases(const std::vector<Second>& series) {
  json out = json::array();
  for (const Second& s : series) {
    const double at = static_cast<double>(s.at_ns) / 1e9;
    if (!out.empty()) out.back()["to"] = at;
    if (out.empty() || out.back()["name"] != s.phase)
      out.push_back({{"from", at}, {"to", at + 1}, {"name", s.phase}});
  }
  if (!out.empty()) out.back()["to"] = static_cast<double>(series.back().at_ns) / 1e9 + 1;
  return out;
}

json times(const std::vector<Second>& series) {
  json out = json::array();
  for (const Second& s : series) out.push_back(static_cast<double>(s.at_ns) / 1e9);
  return out;
}

// [{"at": 41, "text": "target: the connection was closed"}...], in seconds.
json events(const LoadResult& result) {
  json out = json::array();
  for (const Event& e : result.events)
    out.push_back({{"at", static_cast<double>(e.at_ns) / 1e9}, {"text", e.kind + ": " + e.text}});
  return out;
}

json over_time(const char* kind, const LoadResult& result, const json& series) {
  return {{"kind", kind},
          {"x", times(result.series)},
          {"phases", phases(result.series)},
          {"events", events(result)},
          {"series", series}};
}

// The heat map's columns: seconds, or more than one together in a run of more than kColumns.
struct Column {
  std::int64_t at_ns = 0;
  std::map<int, std::uint64_t> counts;  // by band
};
constexpr std::size_t kColumns = 600;
constexpr int kBandsPerDecade = 10;

// Band b holds [10^(b/10), 10^((b+1)/10)) nanoseconds.
int band_of(Nanoseconds value) {
  return static_cast<int>(std::floor(
      std::log10(static_cast<double>(std::max<std::int64_t>(value.count(), 1))) * kBandsPerDecade));
}
std::int64_t band_start_ns(int band) {
  return std::llround(std::pow(10, static_cast<double>(band) / kBandsPerDecade));
}

std::vector<Column> heat_columns(const std::vector<Second>& series) {
  const std::size_t together = (series.size() + kColumns - 1) / kColumns;
  std::vector<Column> out;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (i % together == 0) out.push_back({series[i].at_ns, {}});
    if (series[i].histogram.empty()) continue;
    const Result<stats::Histogram> histogram = stats::Histogram::decode(series[i].histogram);
    if (!histogram.ok()) continue;  // the curves beside it have the second's percentiles all the same
    for (const stats::Histogram::Bucket& bucket : histogram.value().buckets())
      out.back().counts[band_of(bucket.value)] += bucket.count;
  }
  return out;
}

}  // namespace

std::string percentile_chart(const std::vector<Curve>& curves, const std::string& id,
                             const std::string& title, const std::string& caption) {
  std::uint64_t most = 0;
  for (const Curve& c : curves) most = std::max(most, c.histogram->count());
  if (most == 0) return "";
  const double last = std::max(1.0, std::log10(static_cast<double>(most)));
  std::vector<double> nines;
  for (int i = 0; i <= kPercentilePoints; ++i) nines.push_back(last * i / kPercentilePoints);
  json series = json::array();
  Table table{{"Percentile"}, {}, false};
  for (const Curve& c : curves) {
    series.push_back(
        {{"label", c.label}, {"values", curve(*c.histogram, nines)}, {"colour", c.colour}, {"form", c.form}});
    table.heads.push_back(escape(c.label));
  }

  const std::pair<const char*, double> kPlaces[] = {
      {"min", 0},  {"50", .5},     {"75", .75},      {"90", .9},         {"95", .95},
      {"99", .99}, {"99.9", .999}, {"99.99", .9999}, {"99.999", .99999}, {"max", 1}};
  const auto cell = [](const stats::Histogram& h, double q) -> Cell {
    if (h.count() == 0) return {"–", -1};
    if (q <= 0) return time_cell(h.min().count());
    return time_cell(q >= 1 ? h.max().count() : h.quantile(q).count());
  };
  for (const auto& [name, q] : kPlaces) {
    std::vector<Cell> row{name};
    for (const Curve& c : curves) row.push_back(cell(*c.histogram, q));
    table.rows.push_back(std::move(row));
  }
  return figure(id, title, caption, {{"kind", "percentiles"}, {"x", nines}, {"series", series}}, table);
}

std::string percentile_chart(const Latency& latency, const std::string& id, const std::string& title) {
  return percentile_chart(
      {{"corrected", &latency.corrected, 1, "solid"}, {"uncorrected", &latency.uncorrected, 2, "dashed"}}, id,
      title,
      "From a message’s send to its arrival at each member. Corrected counts from when it was due, so that a "
      "stall of the sender is not hidden; uncorrected from when it left.");
}

std::string latency_over_time_chart(const LoadResult& result, const std::string& id) {
  if (result.series.empty()) return "";
  json p50 = json::array(), p99 = json::array(), max = json::array();
  Table table{{"At", "Phase", "p50", "p99", "max"}, {}, false};
  for (const Second& s : result.series) {
    p50.push_back(time_or_gap(s.p50_ns));
    p99.push_back(time_or_gap(s.p99_ns));
    max.push_back(time_or_gap(s.max_ns));
    table.rows.push_back({Cell(seconds(s.at_ns), s.at_ns), escape(s.phase), time_or_gap_cell(s.p50_ns),
                          time_or_gap_cell(s.p99_ns), time_or_gap_cell(s.max_ns)});
  }
  const json data = over_time("latency", result,
                              json::array({{{"label", "p50"}, {"values", p50}},
                                           {{"label", "p99"}, {"values", p99}},
                                           {{"label", "max"}, {"values", max}, {"form", "dashed"}}}));
  return figure(id, "Latency over time", "Fan-out, corrected, of the deliveries of each second. Logarithmic.",
                data, table);
}

std::string rate_over_time_chart(const LoadResult& result, const std::string& id) {
  if (result.series.empty()) return "";
  json sent = json::array(), delivered = json::array();
  Table table{{"At", "Phase", "Members", "Sent", "Delivered"}, {}, false};
  for (const Second& s : result.series) {
    sent.push_back(s.sent);
    delivered.push_back(s.delivered);
    table.rows.push_back({Cell(seconds(s.at_ns), s.at_ns), escape(s.phase), count_cell(s.members),
                          count_cell(s.sent), count_cell(s.delivered)});
  }
  const json data = over_time(
      "rate", result,
      json::array({{{"label", "sent"}, {"values", sent}}, {{"label", "delivered"}, {"values", delivered}}}));
  return figure(id, "Messages per second", "Sent on the left scale, delivered on the right one.", data,
                table);
}

std::string members_over_time_chart(const LoadResult& result, const std::string& id) {
  if (result.series.empty()) return "";
  json members = json::array();
  Table table{{"At", "Phase", "Members"}, {}, false};
  for (const Second& s : result.series) {
    members.push_back(s.members);
    table.rows.push_back({Cell(seconds(s.at_ns), s.at_ns), escape(s.phase), count_cell(s.members)});
  }
  std::string happened;
  for (const Event& e : result.events)
    happened += "<li>" + seconds(e.at_ns) + " " + escape(e.kind) + ": " + escape(e.text) + "</li>";
  return figure(id, "Members connected", "At the end of each second.",
                over_time("members", result, json::array({{{"label", "members"}, {"values", members}}})),
                table) +
         (happened.empty() ? ""
                           : "<h4>What happened during the run</h4><ul class=events>" + happened + "</ul>\n");
}

std::string memory_over_time_chart(const LoadResult& result, const std::string& id) {
  const auto any = [&](std::uint64_t Second::*bytes) {
    return std::any_of(result.series.begin(), result.series.end(),
                       [&](const Second& s) { return s.*bytes > 0; });
  };
  Table table{{"At", "Phase"}, {}, false};
  for (const Second& s : result.series)
    table.rows.push_back({Cell(seconds(s.at_ns), s.at_ns), escape(s.phase)});
  json series = json::array();
  const auto add = [&](const char* label, std::uint64_t Second::*bytes) {
    json values = json::array();
    for (std::size_t i = 0; i < result.series.size(); ++i) {
      const std::uint64_t size = result.series[i].*bytes;
      values.push_back(size > 0 ? json(static_cast<double>(size) / (1 << 20)) : json(nullptr));
      table.rows[i].push_back(size > 0 ? Cell(format_size(size), static_cast<std::int64_t>(size))
                                       : Cell("–", -1));
    }
    table.heads.push_back(label);
    series.push_back({{"label", label}, {"values", values}});
  };
  if (any(&Second::rss_bytes)) add("generator", &Second::rss_bytes);
  if (any(&Second::target_rss_bytes)) add("target", &Second::target_rss_bytes);
  if (series.empty()) return "";
  return figure(
      id, "Memory",
      "Resident at the end of each second: of the generator (merged shards: of all together), and of "
      "the target where --target-pid named it.",
      over_time("memory", result, series), table);
}

std::string heat_map(const LoadResult& result, const std::string& id) {
  const std::vector<Column> columns = heat_columns(result.series);
  int low = 1000, high = -1;
  for (const Column& column : columns)
    for (const auto& [band, count] : column.counts) {
      low = std::min(low, band);
      high = std::max(high, band);
    }
  if (high < 0) return "";

  Table table{{"At"}, {}, false};
  json edges = json::array(), cells = json::array(), x = json::array();
  for (int band = low; band <= high + 1; ++band) {
    edges.push_back(milliseconds(band_start_ns(band)));
    if (band <= high) table.heads.push_back("from " + duration(band_start_ns(band)));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    x.push_back(static_cast<double>(columns[i].at_ns) / 1e9);
    std::vector<Cell> row{Cell(seconds(columns[i].at_ns), columns[i].at_ns)};
    for (int band = low; band <= high; ++band) {
      const auto found = columns[i].counts.find(band);
      row.push_back(found == columns[i].counts.end() ? Cell("", 0) : count_cell(found->second));
      if (found != columns[i].counts.end()) cells.push_back({i, band - low, found->second});
    }
    table.rows.push_back(std::move(row));
  }
  json data = over_time("heat", result, json::array());
  data["x"] = x;
  data["edges"] = edges;
  data["cells"] = cells;
  return figure(
      id, "Where the deliveries of each second lie",
      "The darker, the more deliveries took that long (each step of colour is a factor). Corrected.", data,
      table);
}

}  // namespace roomcheck::reports
