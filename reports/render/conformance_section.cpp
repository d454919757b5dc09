#include <algorithm>

#include "libs/base/units.h"
#include "reports/render/markup.h"
#include "reports/render/sections.h"
#include "reports/render/verdicts.h"

namespace roomcheck::reports {
namespace {

std::string counts(const ConformanceResult& r) {
  std::string out = "<div class=keys>\n";
  for (const Verdict verdict : kMostUrgentFirst) {
    const auto n = std::count_if(r.cases.begin(), r.cases.end(),
                                 [&](const CaseResult& c) { return c.verdict == verdict; });
    if (n == 0 && verdict != Verdict::fail && verdict != Verdict::pass) continue;
    const Shown s = shown(verdict);
    out += "<div class=\"key " + (n == 0 ? "" : std::string(s.tone)) + "\"><b>" +
           format_count(static_cast<std::uint64_t>(n)) + "</b><span>" + std::string(s.word) +
           "</span></div>\n";
  }
  return out + "<div class=key><b>" + format_count(r.cases.size()) + "</b><span>cases</span></div></div>\n";
}

std::string case_cell(const CaseResult& c) {
  std::string out = "<code>" + escape(c.id) + "</code>";
  if (c.verdict == Verdict::pass) return out;
  const std::string body = what_happened(c);
  const std::string message = escape(c.message);
  if (body.empty()) return message.empty() ? out : out + "<p class=message>" + message + "</p>";
  return out + unfold(message.empty() ? "What happened" : message, body);
}

std::string cases(const ConformanceResult& r) {
  std::vector<std::string> sections;  // in the order of their first case
  for (const CaseResult& c : r.cases)
    if (std::find(sections.begin(), sections.end(), c.section) == sections.end())
      sections.push_back(c.section);
  std::string out;
  for (const std::string& section : sections) {
    Table table{{"Verdict", "Case", "Level", "Took"}, {}, false};
    std::size_t passed = 0;
    for (const CaseResult& c : r.cases) {
      if (c.section != section) continue;
      if (c.verdict == Verdict::pass) ++passed;
      table.rows.push_back(
          {verdict_tag(c.verdict), case_cell(c), std::string(to_string(c.level)), time_cell(c.duration_ns)});
    }
    out += "<div class=cases><h3>" + escape(section) + " <small>" + format_count(passed) + " of " +
           format_count(table.rows.size()) + " passed</small></h3>\n" + render(table) + "</div>\n";
  }
  return out;
}

std::vector<std::string> sentences(const ConformanceResult& r, std::initializer_list<Verdict> verdicts) {
  std::vector<std::string> out;
  for (const CaseResult& c : r.cases)
    if (std::find(verdicts.begin(), verdicts.end(), c.verdict) != verdicts.end())
      out.push_back(c.id + (c.message.empty() ? "" : ": " + c.message));
  return out;
}

}  // namespace

std::string badge(const Headline& h) {
  return "<span class=\"tag " + std::string(h.tone) + "\">" + std::string(h.word) + "</span>";
}

Headline headline(const ConformanceResult& r) {
  if (r.verdict == "pass") return {"PASSED", "good", "Every requirement that was tested is met."};
  if (r.verdict == "partial") return {"PARTIAL", "doubt", "Nothing failed, but a part could not be tested."};
  if (r.verdict == "invalid")
    return {"NOT TO BE BELIEVED", "doubt", "The harness or the machine stood in the way."};
  return {"FAILED", "bad", "The target does not do what the specification demands."};
}

std::string conformance_section(const ConformanceResult& r, const std::string&) {
  constexpr std::size_t kMost = 8;
  std::vector<std::string> why;
  if (r.verdict == "invalid")
    why = sentences(r, {Verdict::harness_error, Verdict::could_not_test});
  else if (r.verdict == "partial")
    why = sentences(r, {Verdict::skipped, Verdict::could_not_test});
  else if (r.verdict != "pass")
    why = sentences(r, {Verdict::fail, Verdict::crash, Verdict::harness_error, Verdict::unexpected_pass});
  if (why.size() > kMost) {
    const std::string more = "and " + format_count(why.size() - kMost) + " more, below";
    why.resize(kMost);
    why.push_back(more);
  }
  std::string out;
  if (!why.empty()) out += "<div class=why>" + list_of_text(why) + "</div>\n";
  out += counts(r) + cases(r);
  std::map<std::string, std::string> about{
      {"target", r.target}, {"started", r.started}, {"seed", std::to_string(r.seed)}};
  if (!r.profile.empty()) about["profile"] = r.profile;
  if (!r.control.empty()) about["control"] = r.control;
  out += "<h3>Environment</h3>\n<div class=columns><div><h4>Run</h4>" + definition_list(about) +
         "</div><div><h4>Versions</h4>" + definition_list(r.versions) + "</div></div>\n";
  return out + "<h3>How to reproduce</h3>\n" + code_block(r.command);
}

}  // namespace roomcheck::reports
