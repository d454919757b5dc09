#include <algorithm>
#include <cmath>
#include <cstdio>

#include "libs/base/units.h"
#include "reports/compare/render.h"
#include "reports/render/verdicts.h"

namespace roomcheck::reports {
namespace {

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t shown = characters(text);
  return text.append(width > shown ? width - shown : 0, ' ');
}

// Columns as wide as their widest cell, two blanks apart.
std::string columns(const std::vector<std::vector<std::string>>& rows) {
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::size_t width = 0;
      for (const auto& other : rows) width = std::max(width, characters(other[i]));
      line += padded(row[i], width + 2);
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

std::string short_percent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%", fraction * 100);
  return text;
}

// Of the ratio as measured; it may well be chance (MetricComparison::regression is when it is not).
bool beyond_limit(const MetricComparison& m) {
  return m.has_ratio && (m.more_is_better ? 1 / m.ratio : m.ratio) > 1 + m.max_regression;
}

// The difference that needed_runs speaks of.
double seen_effect(const MetricComparison& m) { return m.max_regression > 0 ? m.max_regression : 0.05; }

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i)
    out += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return out;
}

std::string runs(std::size_t n) { return std::to_string(n) + (n == 1 ? " run" : " runs"); }

std::string pairs(std::size_t n) { return std::to_string(n) + (n == 1 ? " pair" : " pairs"); }

std::string p_text(double p) {
  char text[32];
  std::snprintf(text, sizeof text, p < 0.001 ? "<0.001" : "%.3f", p);
  return text;
}

std::string verdict_word(std::optional<Verdict> verdict) {
  return verdict ? std::string(shown(*verdict).word) : "not there";
}

}  // namespace

std::string format_value(const MetricComparison& metric, double value) {
  if (metric.is_time) return format_duration(Nanoseconds(std::llround(value)));
  if (value >= 0 && value < 1e15 && std::floor(value) == value)
    return format_count(static_cast<std::uint64_t>(value));
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string format_change(double ratio) {
  char text[32];
  std::snprintf(text, sizeof text, "%+.1f %%", (ratio - 1) * 100);
  return text;
}

std::string judgement(const MetricComparison& m) {
  if (m.regression) return "worse, by more than the " + short_percent(m.max_regression) + " allowed";
  if (m.difference == Difference::worse)
    return beyond_limit(m) ? "worse; whether by more than the " + short_percent(m.max_regression) +
                                 " allowed cannot be told"
                           : "worse, by no more than the " + short_percent(m.max_regression) + " allowed";
  if (m.difference == Difference::better) return "better";
  if (m.base.empty() || m.fresh.empty()) return "no believable run";
  std::string out(to_string(m.difference));
  if (!m.has_ratio) return out;
  return out + "; " + short_percent(seen_effect(m)) + " would take " +
         (m.needed_runs >= kMostRuns ? "more than " : "") + runs(m.needed_runs) + " a side";
}

std::string judgement(const FaultComparison& f) {
  if (f.regression && f.base == 0) return "worse: BASE has none";
  if (f.regression) return "worse";
  return f.base == f.fresh ? "the same" : "no difference can be told";
}

std::string method(const LoadComparison& c) {
  return c.paired
             ? "Medians of runs; change, interval and p of the ratios of pairs (Wilcoxon's signed-rank "
               "test), p "
               "corrected for the number of metrics (Holm)."
             : "Medians of runs; interval by bootstrap, p of a rank test (Mann-Whitney), corrected for the "
               "number of metrics (Holm).";
}

std::string_view to_string(CaseChange::Kind kind) {
  switch (kind) {
    case CaseChange::Kind::newly_failing:
      return "newly failing";
    case CaseChange::Kind::newly_passing:
      return "newly passing";
    case CaseChange::Kind::changed:
      return "changed";
  }
  return "changed";
}

std::size_t believable(const std::vector<LoadRun>& runs) {
  return static_cast<std::size_t>(std::count_if(runs.begin(), runs.end(), is_believable));
}

std::vector<std::string> some_set_aside(const LoadComparison& c) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> out = c.set_aside;
  if (out.size() <= kShown + 1) return out;
  out.resize(kShown);
  out.push_back("and " + std::to_string(c.set_aside.size() - kShown) + " more");
  return out;
}

Headline headline(const LoadComparison& c) {
  std::vector<std::string> beyond, worse, better;
  bool perhaps_beyond = false;
  for (const MetricComparison& m : c.metrics) {
    if (m.regression)
      beyond.push_back(m.name);
    else if (m.difference == Difference::worse) {
      worse.push_back(m.name);
      perhaps_beyond = perhaps_beyond || beyond_limit(m);
    } else if (m.difference == Difference::better)
      better.push_back(m.name);
  }
  for (const FaultComparison& f : c.faults)
    if (f.regression) beyond.push_back(f.name);
  if (!beyond.empty())
    return {"WORSE", "bad", "NEW is worse than BASE, by more than allowed: " + joined(beyond) + "."};
  if (c.metrics.empty()) return {"CANNOT TELL", "doubt", "The runs have no latency in common to compare."};
  for (const MetricComparison& m : c.metrics) {
    if (c.can_tell(m)) continue;
    if (m.base.empty() || m.fresh.empty())
      return {"CANNOT TELL", "doubt",
              std::string("No run of ") + (m.base.empty() ? "BASE" : "NEW") + " is to be believed."};
    return {"CANNOT TELL", "doubt",
            (c.paired ? pairs(m.base.size())
                      : runs(m.base.size()) + " of BASE and " + runs(m.fresh.size()) + " of NEW") +
                " cannot tell any difference of " + m.name + ": it takes " +
                (c.paired ? pairs(c.least_runs) : std::to_string(c.least_runs) + " a side") + " for " +
                std::to_string(c.metrics.size()) + (c.metrics.size() == 1 ? " metric." : " metrics.")};
  }
  if (perhaps_beyond)
    return {"WORSE, PERHAPS BEYOND THE LIMIT", "doubt",
            "Worse, but more runs must tell whether by more than allowed: " + joined(worse) + "."};
  if (!worse.empty())
    return {"WORSE, WITHIN THE LIMIT", "doubt", "Worse, but by no more than allowed: " + joined(worse) + "."};
  if (!better.empty()) return {"BETTER", "good", "NEW is better than BASE: " + joined(better) + "."};
  // What these runs could not have seen is not to be taken for what is not there.
  const auto blunt = std::find_if(c.metrics.begin(), c.metrics.end(), [](const MetricComparison& m) {
    return m.has_ratio && m.needed_runs > std::min(m.base.size(), m.fresh.size());
  });
  return {
      "NO DIFFERENCE CAN BE TOLD", "good",
      "What differs is within what runs of the same side differ by" +
          (blunt == c.metrics.end() ? "."
                                    : "; these runs scatter too much to be sure to see " +
                                          short_percent(seen_effect(*blunt)) + " of " + blunt->name + ".")};
}

Headline headline(const ConformanceComparison& c, bool strict) {
  const auto count = [&](CaseChange::Kind kind) {
    return std::to_string(std::count_if(c.changes.begin(), c.changes.end(),
                                        [&](const CaseChange& change) { return change.kind == kind; }));
  };
  const std::string counts = count(CaseChange::Kind::newly_failing) + " newly failing, " +
                             count(CaseChange::Kind::newly_passing) + " newly passing, " +
                             count(CaseChange::Kind::changed) + " otherwise changed, of " +
                             std::to_string(c.cases) + " cases.";
  if (c.regression(strict)) return {"WORSE", "bad", counts};
  if (!c.unfit.empty()) return {"CANNOT TELL", "doubt", "A run of NEW is not to be believed. " + counts};
  if (c.changes.empty()) return {"NO DIFFERENCE", "good", counts};
  return {"NOTHING NEWLY FAILS", "good", counts};
}

std::string to_text(const LoadComparison& c) {
  const Headline h = headline(c);
  std::string out = std::string(h.word) + "  " + h.sentence + "\n\n";
  const auto side = [](const std::vector<LoadRun>& all) {
    const std::size_t good = believable(all);
    return runs(all.size()) + (good < all.size() ? " (" + std::to_string(good) + " to be believed)" : "");
  };
  out += "BASE " + side(c.base) + ", NEW " + side(c.fresh) + ", medians of runs" +
         (c.paired ? "; changes of pairs\n" : "\n");
  for (const std::string& run : some_set_aside(c)) out += "set aside, not to be believed: " + run + "\n";
  std::vector<std::vector<std::string>> rows{{"", "BASE", "NEW", "change", "95 % interval", "p", "verdict"}};
  for (const MetricComparison& m : c.metrics)
    rows.push_back({m.name, format_value(m, m.base_median), format_value(m, m.new_median),
                    m.has_ratio ? format_change(m.ratio) : "–",
                    m.has_ratio ? format_change(m.interval.low) + " " + format_change(m.interval.high) : "–",
                    p_text(m.p), judgement(m)});
  for (const FaultComparison& f : c.faults)
    if (f.base + f.fresh > 0)
      rows.push_back(
          {f.name, format_count(f.base), format_count(f.fresh), "–", "–", p_text(f.p), judgement(f)});
  out += "\n" + columns(rows);
  return out;
}

std::string to_text(const ConformanceComparison& c, bool strict) {
  const Headline h = headline(c, strict);
  std::string out = std::string(h.word) + "  " + h.sentence + "\n";
  for (const CaseChange& change : c.changes) {
    out += padded(std::string(to_string(change.kind)), 15) + change.id +
           (change.level == Level::must ? "" : "  [" + std::string(to_string(change.level)) + "]") + "  " +
           verdict_word(change.before) + " -> " + verdict_word(change.after) + "\n";
    if (!change.message.empty()) out += "    " + change.message + "\n";
  }
  return out;
}

}  // namespace roomcheck::reports
