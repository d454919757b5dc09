#include "conformance/output.h"

#include <algorithm>
#include <cstdio>

#include "conformance/verdict.h"
#include "libs/base/units.h"

namespace roomcheck::conformance {
namespace {

using reports::CaseResult;
using reports::Level;
using reports::Verdict;

std::string paint(const std::string& text, const char* code, bool colour) {
  return colour ? "\x1b[" + std::string(code) + "m" + text + "\x1b[0m" : text;
}

const char* colour_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "32";
    case Verdict::informational:
    case Verdict::known_deviation:
      return "36";
    case Verdict::skipped:
    case Verdict::could_not_test:
      return "33";
    default:
      return "31";
  }
}

// Further lines stand below the first.
std::string indented(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "              ";
  }
  return out;
}

}  // namespace

std::string describe(const CaseResult& result, bool colour) {
  std::string word(to_string(result.verdict));
  word.resize(std::max<std::size_t>(word.size(), 15), ' ');
  std::string out = paint(word, colour_of(result.verdict), colour) + " " + result.id;
  if (result.verdict == Verdict::pass)
    return out + "  (" + format_duration(Nanoseconds(result.duration_ns)) + ")\n" +
           (result.message.empty() ? "" : "    " + result.message + "\n");
  out += result.level == Level::should ? "  [SHOULD]" : "";
  out += "\n    " + result.message + "\n";
  if (result.verdict == Verdict::skipped || result.verdict == Verdict::informational) return out;
  if (result.verdict == Verdict::unexpected_pass) return out;
  if (!result.deviation.empty()) out += "    known     " + result.deviation + "\n";
  if (!result.expected.empty()) out += "    expected  " + indented(result.expected) + "\n";
  if (!result.actual.empty()) out += "    actual    " + indented(result.actual) + "\n";
  out += "    SPEC      " + result.requirement + ": " + result.sentence + "\n";
  if (!result.look_at.empty()) out += "    look at   " + result.look_at + "\n";
  for (const std::string& line : result.transcript) out += "      " + line + "\n";
  return out;
}

std::string summarise(const reports::ConformanceResult& result, bool colour) {
  std::string out = "\n";
  for (const auto& [verdict, count] : result.summary()) out += std::to_string(count) + " " + verdict + "  ";
  const auto should = std::count_if(result.cases.begin(), result.cases.end(), [](const CaseResult& c) {
    return c.level == Level::should && (c.verdict == Verdict::fail || c.verdict == Verdict::crash);
  });
  if (should > 0) out += "(" + std::to_string(should) + " of the failed are SHOULDs)";
  std::string word = result.verdict;
  for (char& c : word) c = static_cast<char>(c - 'a' + 'A');
  const char* code = word == "PASS" ? "32" : word == "FAIL" ? "31" : "33";
  return out + "\n" + paint(word, code, colour) + "\n";
}

std::string slowest(const reports::ConformanceResult& result, std::size_t count) {
  std::vector<const CaseResult*> cases;
  for (const CaseResult& c : result.cases) cases.push_back(&c);
  std::stable_sort(cases.begin(), cases.end(),
                   [](const CaseResult* a, const CaseResult* b) { return a->duration_ns > b->duration_ns; });
  if (cases.size() > count) cases.resize(count);
  std::string out = "\nslowest:\n";
  for (const CaseResult* c : cases) {
    std::string took = format_duration(Nanoseconds(c->duration_ns));
    took.resize(std::max<std::size_t>(took.size(), 10), ' ');
    out += "  " + took + c->id + "\n";
  }
  return out;
}

std::string github_annotations(const reports::ConformanceResult& result, bool strict) {
  const auto escaped = [](const std::string& text, bool property) {
    std::string out;
    for (const char c : text) {
      if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','))) {
        char code[4];
        std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(c));
        out += code;
      } else {
        out += c;
      }
    }
    return out;
  };
  std::string out;
  for (const CaseResult& c : result.cases) {
    const bool quiet =
        c.verdict == Verdict::pass || c.verdict == Verdict::skipped || c.verdict == Verdict::informational;
    if (quiet) continue;
    const char* command = fails_the_run(c, strict) || c.verdict == Verdict::harness_error ? "error"
                          : c.verdict == Verdict::known_deviation                         ? "notice"
                                                                                          : "warning";
    std::string text = c.message;
    if (!c.deviation.empty()) text += "\nknown: " + c.deviation;
    if (!c.expected.empty()) text += "\nexpected: " + c.expected;
    if (!c.actual.empty()) text += "\nactual: " + c.actual;
    text += "\nSPEC: " + c.sentence;
    if (!c.look_at.empty()) text += "\nlook at: " + c.look_at;
    out += std::string("::") + command +
           " title=" + escaped(std::string(to_string(c.verdict)) + " " + c.id, true) +
           "::" + escaped(text, false) + "\n";
  }
  return out;
}

}  // namespace roomcheck::conformance
