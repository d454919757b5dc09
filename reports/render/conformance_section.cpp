#include <algorithm>

#include "libs/base/units.h"
#include "reports/render/markup.h"
#include "reports/render/sections.h"

namespace roomcheck::reports {
namespace {

struct Shown {
  std::string_view word;
  std::string_view tone;
};

Shown shown(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return {"pass", "good"};
    case Verdict::fail:
      return {"fail", "bad"};
    case Verdict::crash:
      return {"crash", "bad"};
    case Verdict::known_deviation:
      return {"known deviation", "doubt"};
    case Verdict::unexpected_pass:
      return {"unexpected pass", "doubt"};
    case Verdict::skipped:
      return {"skipped", "none"};
    case Verdict::could_not_test:
      return {"could not test", "doubt"};
    case Verdict::harness_error:
      return {"harness error", "bad"};
    case Verdict::informational:
      return {"informational", "none"};
  }
  return {"unknown", "none"};
}

std::string tag(Verdict verdict) {
  const Shown s = shown(verdict);
  return "<span class=\"tag " + std::string(s.tone) + "\">" + std::string(s.word) + "</span>";
}

// Fails first, then what is in doubt, then what was left out.
constexpr Verdict kOrder[] = {Verdict::fail,           Verdict::crash,           Verdict::harness_error,
                              Verdict::could_not_test, Verdict::unexpected_pass, Verdict::known_deviation,
                              Verdict::skipped,        Verdict::informational,   Verdict::pass};

std::string counts(const ConformanceResult& r) {
  std::string out = "<div class=keys>\n";
  for (const Verdict verdict : kOrder) {
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

std::string text_block(const std::string& name, const std::string& text) {
  return text.empty() ? "" : "<h5>" + name + "</h5>" + code_block(text);
}

std::string what_happened(const CaseResult& c) {
  std::string body;
  if (!c.sentence.empty()) body += "<blockquote>" + escape(c.sentence) + "</blockquote>\n";
  body += text_block("Expected", c.expected) + text_block("Actual", c.actual);
  std::string transcript;
  for (const std::string& line : c.transcript) transcript += line + '\n';
  return body + text_block("Transcript", transcript);
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
          {tag(c.verdict), case_cell(c), std::string(to_string(c.level)), time_cell(c.duration_ns)});
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
