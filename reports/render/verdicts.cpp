#include "reports/render/verdicts.h"

#include <algorithm>

#include "reports/render/markup.h"

namespace roomcheck::reports {
namespace {

std::string text_block(const std::string& name, const std::string& text) {
  return text.empty() ? "" : "<h5>" + name + "</h5>" + code_block(text);
}

}  // namespace

Shown shown(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return {"pass", "good", "✓", "✅"};
    case Verdict::fail:
      return {"fail", "bad", "✗", "❌"};
    case Verdict::crash:
      return {"crash", "bad", "‼", "💥"};
    case Verdict::known_deviation:
      return {"known deviation", "doubt", "≈", "🟡"};
    case Verdict::unexpected_pass:
      return {"unexpected pass", "doubt", "!", "❗"};
    case Verdict::skipped:
      return {"skipped", "none", "–", "➖"};
    case Verdict::could_not_test:
      return {"could not test", "doubt", "?", "❔"};
    case Verdict::harness_error:
      return {"harness error", "bad", "⚠", "⚠️"};
    case Verdict::informational:
      return {"informational", "none", "i", "ℹ️"};
  }
  return {"unknown", "none", "?", "❔"};
}

Verdict most_urgent(const std::vector<const CaseResult*>& cases) {
  for (const Verdict verdict : kMostUrgentFirst)
    if (std::any_of(cases.begin(), cases.end(), [&](const CaseResult* c) { return c->verdict == verdict; }))
      return verdict;
  return Verdict::pass;
}

std::string verdict_tag(Verdict verdict) {
  const Shown s = shown(verdict);
  return "<span class=\"tag " + std::string(s.tone) + "\">" + std::string(s.word) + "</span>";
}

std::string what_happened(const CaseResult& c) {
  std::string body;
  if (!c.sentence.empty()) body += "<blockquote>" + escape(c.sentence) + "</blockquote>\n";
  if (!c.deviation.empty()) body += "<p>Known deviation: " + escape(c.deviation) + "</p>\n";
  body += text_block("Expected", c.expected) + text_block("Actual", c.actual) +
          text_block("What to look at", c.look_at);
  std::string transcript;
  for (const std::string& line : c.transcript) transcript += line + '\n';
  return body + text_block("Transcript", transcript);
}

}  // namespace roomcheck::reports
