#include "reports/model/junit.h"

#include <algorithm>

#include "reports/model/thresholds.h"

namespace roomcheck::reports {
namespace {

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

std::string seconds(std::int64_t ns) { return std::to_string(static_cast<double>(ns) / 1e9); }

class Suite {
 public:
  explicit Suite(std::string name) : name_(std::move(name)) {}

  void begin(const std::string& classname, const std::string& name, std::int64_t duration_ns) {
    ++tests_;
    cases_ += "  <testcase classname=\"" + xml(classname) + "\" name=\"" + xml(name) + "\" time=\"" +
              seconds(duration_ns) + "\">\n";
  }
  void property(const std::string& name, std::string_view value) {
    properties_ += "<property name=\"" + xml(name) + "\" value=\"" + xml(std::string(value)) + "\"/>";
  }
  void failure(const std::string& message, const std::string& body) {
    ++failures_;
    outcome_ += "    <failure message=\"" + xml(message) + "\">" + xml(body) + "</failure>\n";
  }
  void error(const std::string& message, const std::string& body) {
    ++errors_;
    outcome_ += "    <error message=\"" + xml(message) + "\">" + xml(body) + "</error>\n";
  }
  void skipped(const std::string& message) {
    ++skipped_;
    outcome_ += "    <skipped message=\"" + xml(message) + "\"/>\n";
  }
  void says(const std::string& text) { outcome_ += "    <system-out>" + xml(text) + "</system-out>\n"; }
  void end() {
    if (!properties_.empty()) cases_ += "    <properties>" + properties_ + "</properties>\n";
    cases_ += outcome_ + "  </testcase>\n";
    properties_.clear();
    outcome_.clear();
  }

  std::string document() const {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" + name_ + "\" tests=\"" +
           std::to_string(tests_) + "\" failures=\"" + std::to_string(failures_) + "\" errors=\"" +
           std::to_string(errors_) + "\" skipped=\"" + std::to_string(skipped_) + "\">\n" + cases_ +
           "</testsuite>\n";
  }

 private:
  std::string name_, cases_, properties_, outcome_;  // the last two: of the case that was begun
  int tests_ = 0, failures_ = 0, errors_ = 0, skipped_ = 0;
};

bool failed(const CaseResult& c) {
  return c.verdict == Verdict::fail || c.verdict == Verdict::crash || c.verdict == Verdict::unexpected_pass;
}

std::string lines(const std::vector<std::string>& all) {
  std::string out;
  for (const std::string& line : all) out += line + "\n";
  return out;
}

}  // namespace

std::string to_junit(const ConformanceResult& result) {
  // The result does not say whether the run was strict; that it failed without a failed MUST does.
  const bool strict = result.verdict == "fail" &&
                      std::none_of(result.cases.begin(), result.cases.end(), [](const CaseResult& c) {
                        return failed(c) && (c.level == Level::must || c.verdict == Verdict::unexpected_pass);
                      });
  Suite suite("roomcheck.conformance");
  for (const CaseResult& c : result.cases) {
    suite.begin(c.section, c.id, c.duration_ns);
    suite.property("requirement", c.requirement);
    suite.property("section", c.section);
    suite.property("level", to_string(c.level));
    const std::string body = "expected: " + c.expected + "\nactual: " + c.actual + "\nSPEC: " + c.sentence +
                             "\n" + lines(c.transcript);
    switch (c.verdict) {
      case Verdict::pass:
        break;
      case Verdict::known_deviation:
        suite.says("known deviation: " + (c.deviation.empty() ? c.message : c.deviation + "\n" + c.message));
        break;
      case Verdict::informational:
        suite.says(c.message);
        break;
      case Verdict::skipped:
        suite.skipped(c.message);
        break;
      case Verdict::could_not_test:
        if (c.level == Level::must || strict)
          suite.error(c.message, body);
        else
          suite.skipped(std::string(to_string(c.level)) + ", could not test: " + c.message);
        break;
      case Verdict::harness_error:
        suite.error(c.message, body);
        break;
      case Verdict::fail:
      case Verdict::crash:
      case Verdict::unexpected_pass:
        if (c.level == Level::must || strict || c.verdict == Verdict::unexpected_pass)
          suite.failure(c.message, body);
        else
          suite.skipped(std::string(to_string(c.level)) + ", not met: " + c.message);
        break;
    }
    suite.end();
  }
  return suite.document();
}

std::string to_junit(const LoadResult& result) {
  Suite suite("roomcheck.load");
  suite.begin("run", "came to its end", result.duration_ns);
  if (!result.failed_because.empty())
    suite.error(result.failed_because.front(), lines(result.failed_because));
  suite.end();
  suite.begin("run", "may be believed", 0);
  if (!result.valid)
    suite.error(result.invalid_because.empty() ? "not valid" : result.invalid_because.front(),
                lines(result.invalid_because));
  suite.end();
  for (const Threshold& t : result.thresholds) {
    suite.begin("threshold", t.expression, 0);
    if (!t.passed) suite.failure("missed " + t.expression + ": it was " + format_measured(t), result.command);
    suite.end();
  }
  return suite.document();
}

}  // namespace roomcheck::reports
