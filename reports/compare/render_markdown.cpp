#include "libs/base/units.h"
#include "reports/compare/render.h"
#include "reports/render/markdown.h"
#include "reports/render/verdicts.h"

namespace roomcheck::reports {
namespace {

constexpr std::size_t kMostChanges = 100;

std::string heading(const Headline& h) {
  const std::string_view emoji = h.tone == "good" ? "✅" : h.tone == "bad" ? "❌" : "⚠️";
  return "### " + std::string(emoji) + " BASE and NEW: " + std::string(h.word) + "\n\n" +
         escape_markdown(h.sentence) + "\n\n";
}

std::string emoji_and_word(std::optional<Verdict> verdict) {
  return verdict ? std::string(shown(*verdict).emoji) + " " + std::string(shown(*verdict).word) : "not there";
}

std::string sign(const MetricComparison& m) {
  if (m.regression) return "❌ ";
  if (m.difference == Difference::worse) return "⚠️ ";
  return m.difference == Difference::better ? "✅ " : "";
}

}  // namespace

std::string to_markdown(const LoadComparison& c) {
  std::string out = heading(headline(c));
  out += "| | BASE (" + std::to_string(believable(c.base)) + ") | NEW (" +
         std::to_string(believable(c.fresh)) +
         ") | change | 95 % interval | p | |\n| --- | --: | --: | --: | :-: | --: | --- |\n";
  for (const MetricComparison& m : c.metrics) {
    char p[32];
    std::snprintf(p, sizeof p, "%.3f", m.p);
    out += "| " + markdown_code(m.name) + " | " + format_value(m, m.base_median) + " | " +
           format_value(m, m.new_median) + " | " +
           (m.has_ratio ? "**" + format_change(m.ratio) + "**" : "–") + " | " +
           (m.has_ratio ? format_change(m.interval.low) + " … " + format_change(m.interval.high) : "–") +
           " | " + p + " | " + sign(m) + judgement(m) + " |\n";
  }
  for (const FaultComparison& f : c.faults)
    if (f.base + f.fresh > 0)
      out += "| " + f.name + " | " + format_count(f.base) + " | " + format_count(f.fresh) +
             " | – | – | – | " + (f.regression ? "❌ " : "") + judgement(f) + " |\n";
  out += "\n" + method(c) + "\n";
  for (const std::string& run : some_set_aside(c))
    out += "\nSet aside, not to be believed: " + escape_markdown(run) + "\n";
  return out;
}

std::string to_markdown(const ConformanceComparison& c, bool strict) {
  std::string out = heading(headline(c, strict));
  if (c.changes.empty()) return out;
  out += "| | Case | Level | BASE | NEW | |\n| --- | --- | --- | --- | --- | --- |\n";
  std::size_t rows = 0;
  for (const CaseChange& change : c.changes) {
    if (++rows > kMostChanges) break;
    out += "| " + std::string(to_string(change.kind)) + " | " + markdown_code(change.id) + " | " +
           std::string(to_string(change.level)) + " | " + emoji_and_word(change.before) + " | " +
           emoji_and_word(change.after) + " | " + escape_markdown(change.message) + " |\n";
  }
  if (c.changes.size() > kMostChanges)
    out += "\nand " + format_count(c.changes.size() - kMostChanges) + " more.\n";
  return out;
}

}  // namespace roomcheck::reports
