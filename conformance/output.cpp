#include "conformance/output.h"

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
  if (!result.expected.empty()) out += "    expected  " + result.expected + "\n";
  if (!result.actual.empty()) out += "    actual    " + result.actual + "\n";
  out += "    SPEC      " + result.requirement + ": " + result.sentence + "\n";
  for (const std::string& line : result.transcript) out += "      " + line + "\n";
  return out;
}

std::string summarise(const reports::ConformanceResult& result, bool colour) {
  std::string out = "\n";
  for (const auto& [verdict, count] : result.summary()) out += std::to_string(count) + " " + verdict + "  ";
  std::string word = result.verdict;
  for (char& c : word) c = static_cast<char>(c - 'a' + 'A');
  const char* code = word == "PASS" ? "32" : word == "FAIL" ? "31" : "33";
  return out + "\n" + paint(word, code, colour) + "\n";
}

}  // namespace roomcheck::conformance
