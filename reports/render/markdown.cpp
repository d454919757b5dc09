#include "reports/render/markdown.h"

#include <algorithm>

#include "libs/base/units.h"
#include "reports/model/thresholds.h"
#include "reports/render/markup.h"
#include "reports/render/sections.h"
#include "reports/render/verdicts.h"

namespace roomcheck::reports {
namespace {

constexpr std::size_t kMostCases = 50;
constexpr std::size_t kOffendersShown = 5;

std::string_view emoji(const Headline& h) {
  return h.tone == "good" ? "✅" : h.tone == "bad" ? "❌" : "⚠️";
}

// A fenced block whose fence is longer than any in the text.
std::string fenced(const std::string& text) {
  std::size_t longest = 2, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  return fence + "\n" + text + (text.empty() || text.back() != '\n' ? "\n" : "") + fence + "\n";
}

std::string heading(const NamedResult& named) {
  const auto h = std::visit([](const auto& r) { return headline(r); }, named.result);
  const auto target = std::visit([](const auto& r) { return r.target; }, named.result);
  const bool load = std::holds_alternative<LoadResult>(named.result);
  return "### " + std::string(emoji(h)) + " " + (load ? "Load" : "Conformance") + ": " + std::string(h.word) +
         "\n\n" + h.sentence + " Target " + markdown_code(target) + ".\n\n";
}

using Blocks = std::vector<std::string>;  // each is whole; those at the end may be left out

Blocks blocks(const ConformanceResult& r) {
  std::string counts;
  for (const Verdict verdict : kMostUrgentFirst) {
    const auto n = std::count_if(r.cases.begin(), r.cases.end(),
                                 [&](const CaseResult& c) { return c.verdict == verdict; });
    if (n > 0)
      counts += (counts.empty() ? "" : " · ") + std::string(shown(verdict).emoji) + " " +
                format_count(static_cast<std::uint64_t>(n)) + " " + std::string(shown(verdict).word);
  }
  Blocks out{(counts.empty() ? "No case ran." : counts) + "\n\n"};
  std::string table;
  Blocks transcripts;
  std::size_t rows = 0;
  for (const Verdict verdict : kMostUrgentFirst) {
    if (verdict == Verdict::pass || verdict == Verdict::informational) continue;
    for (const CaseResult& c : r.cases) {
      if (c.verdict != verdict || ++rows > kMostCases) continue;
      const std::string why = c.deviation.empty() ? c.message : c.deviation + " (" + c.message + ")";
      table += "| " + std::string(shown(verdict).emoji) + " " + std::string(shown(verdict).word) + " | " +
               markdown_code(c.id) + " | " + std::string(to_string(c.level)) + " | " + escape_markdown(why) +
               " |\n";
      if (c.transcript.empty()) continue;
      std::string text = "expected: " + c.expected + "\nactual:   " + c.actual + "\nSPEC:     " + c.sentence +
                         (c.look_at.empty() ? "" : "\nlook at:  " + c.look_at) + "\n\n";
      for (const std::string& line : c.transcript) text += line + "\n";
      transcripts.push_back("<details><summary>Transcript of <code>" + escape(c.id) +
                            "</code></summary>\n\n" + fenced(text) + "\n</details>\n\n");
    }
  }
  if (!table.empty())
    out.push_back("| Verdict | Case | Level | What happened |\n| --- | --- | --- | --- |\n" + table + "\n");
  if (rows > kMostCases)
    out.push_back("and " + format_count(rows - kMostCases) + " more; the result file has all.\n\n");
  out.insert(out.end(), transcripts.begin(), transcripts.end());
  return out;
}

std::string latency_rows(const LoadResult& r) {
  std::string out;
  for (const auto& [name, latency] : r.latency) {
    const stats::Histogram& h = latency.corrected;
    if (h.count() == 0) continue;
    out += "| " + escape_markdown(name) + " | " + format_count(h.count());
    for (const double q : {.5, .9, .99, .999}) out += " | " + duration(h.quantile(q).count());
    out += " | " + duration(h.max().count()) + " |\n";
  }
  return out;
}

Blocks blocks(const LoadResult& r) {
  Blocks out;
  std::string why;
  for (const auto* reasons : {&r.failed_because, &r.invalid_because})
    for (const std::string& reason : *reasons) why += "- " + escape_markdown(reason) + "\n";
  if (!why.empty()) out.push_back(why + "\n");

  std::string thresholds;
  for (const Threshold& t : r.thresholds)
    thresholds += "| " + std::string(t.passed ? "✅" : "❌") + " | " + markdown_code(t.expression) + " | " +
                  format_measured(t) + " |\n";
  if (!thresholds.empty())
    out.push_back("| | Threshold | Measured |\n| --- | --- | --: |\n" + thresholds + "\n");

  const Delivery& d = r.delivery;
  out.push_back(format_count(d.delivered) + " of " + format_count(d.expected) +
                " deliveries: " + format_count(d.lost) + " lost, " + format_count(d.duplicated) +
                " duplicated, " + format_count(d.reordered) + " reordered, " + format_count(d.foreign) +
                " of another room, " + format_count(d.corrupt) + " corrupt.\n\n");
  std::string offenders;
  for (std::size_t i = 0; i < d.offenders.size() && i < kOffendersShown; ++i) {
    const Delivery::Offender& o = d.offenders[i];
    offenders += "- " + escape_markdown(o.kind) + ": message " + std::to_string(o.sequence) + " of sender " +
                 std::to_string(o.sender) + ", member " + std::to_string(o.member) + ", room " +
                 markdown_code(o.room) + "\n";
  }
  if (!offenders.empty()) out.push_back(offenders + "\n");

  const std::string rows = latency_rows(r);
  if (!rows.empty())
    out.push_back(
        "| Latency | Samples | p50 | p90 | p99 | p99.9 | max |\n| --- | --: | --: | --: | --: | --: | --: "
        "|\n" +
        rows + "\n");
  out.push_back("<details><summary>How to reproduce</summary>\n\n" + fenced(r.command) + "\n</details>\n\n");
  return out;
}

}  // namespace

std::string escape_markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '|' || c == '\\' || c == '*' || c == '[' || c == ']')
      out += std::string("\\") + c;
    else if (c == '`')
      out += std::string("\\") + c;
    else if (static_cast<unsigned char>(c) < 0x20)
      out += ' ';
    else
      out += c;
  }
  return out;
}

std::string markdown_code(std::string_view text) {
  std::string out = "`";
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '`' ? '\'' : static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "`";
}

std::string render_markdown(const std::vector<NamedResult>& results, std::size_t limit) {
  constexpr std::string_view kCut = "Shortened: the result files have the rest.\n";
  std::string out;
  bool cut = false;
  for (const NamedResult& named : results) {
    Blocks all = std::visit([](const auto& r) { return blocks(r); }, named.result);
    all.insert(all.begin(), heading(named));
    for (const std::string& block : all) {
      if (out.size() + block.size() + kCut.size() > limit)
        cut = true;
      else
        out += block;
    }
  }
  return cut ? out.append(kCut) : out;
}

}  // namespace roomcheck::reports
