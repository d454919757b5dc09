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

std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

}  // namespace

std::string describe(const CaseResult& result, bool colour) {
  std::string word(to_string(result.verdict));
  word.resize(std::max<std::size_t>(word.size(), 15), ' ');
  std::string out = paint(word, colour_of(result.verdict), colour) + " " + result.id;
  if (result.verdict == Verdict::pass)
    return out + "  (" + format_duration(Nanoseconds(result.duration_ns)) + ")\n";
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

std::string to_junit(const reports::ConformanceResult& result) {
  std::string cases;
  int failures = 0, errors = 0, skipped = 0;
  for (const CaseResult& c : result.cases) {
    cases += "  <testcase classname=\"" + xml(c.section) + "\" name=\"" + xml(c.id) + "\" time=\"" +
             std::to_string(static_cast<double>(c.duration_ns) / 1e9) + "\">\n" +
             "    <properties><property name=\"requirement\" value=\"" + xml(c.requirement) +
             "\"/><property name=\"level\" value=\"" + std::string(to_string(c.level)) +
             "\"/></properties>\n";
    std::string body = "expected: " + c.expected + "\nactual: " + c.actual + "\nSPEC: " + c.sentence + "\n";
    for (const std::string& line : c.transcript) body += line + "\n";
    switch (c.verdict) {
      case Verdict::pass:
      case Verdict::known_deviation:
        break;
      case Verdict::informational:
        cases += "    <system-out>" + xml(c.message) + "</system-out>\n";
        break;
      case Verdict::skipped:
        ++skipped;
        cases += "    <skipped message=\"" + xml(c.message) + "\"/>\n";
        break;
      case Verdict::could_not_test:
      case Verdict::harness_error:
        ++errors;
        cases += "    <error message=\"" + xml(c.message) + "\">" + xml(body) + "</error>\n";
        break;
      default:
        ++failures;
        cases += "    <failure message=\"" + xml(c.message) + "\">" + xml(body) + "</failure>\n";
    }
    cases += "  </testcase>\n";
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"roomcheck.conformance\" tests=\"" +
         std::to_string(result.cases.size()) + "\" failures=\"" + std::to_string(failures) + "\" errors=\"" +
         std::to_string(errors) + "\" skipped=\"" + std::to_string(skipped) + "\">\n" + cases +
         "</testsuite>\n";
}

}  // namespace roomcheck::conformance
