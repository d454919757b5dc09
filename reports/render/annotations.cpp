#include "reports/render/annotations.h"

#include "reports/model/thresholds.h"

namespace roomcheck::reports {
namespace {

// The data of a workflow command, and the stricter form of its properties.
std::string escaped(const std::string& text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else if (property && c == ':')
      out += "%3A";
    else if (property && c == ',')
      out += "%2C";
    else
      out += c;
  }
  return out;
}

class Annotations {
 public:
  void error(const std::string& title, const std::string& text) {
    errors_.push_back(line("error", title, text));
  }
  void warning(const std::string& title, const std::string& text) {
    warnings_.push_back(line("warning", title, text));
  }
  std::string text() const {
    std::string out;
    std::size_t lines = 0;
    for (const auto* kind : {&errors_, &warnings_})
      for (const std::string& one : *kind)
        if (++lines <= kMostAnnotations) out += one;
    return out;
  }

 private:
  static std::string line(const char* command, const std::string& title, const std::string& text) {
    return std::string("::") + command + " title=" + escaped(title, true) + "::" + escaped(text, false) +
           "\n";
  }
  std::vector<std::string> errors_, warnings_;
};

void annotate(const ConformanceResult& r, Annotations& out) {
  for (const CaseResult& c : r.cases) switch (c.verdict) {
      case Verdict::fail:
      case Verdict::crash:
      case Verdict::unexpected_pass:
        if (c.level == Level::must)
          out.error(c.id, c.message + "\n" + c.sentence);
        else
          out.warning(c.id + " (" + std::string(to_string(c.level)) + ")", c.message);
        break;
      case Verdict::harness_error:
        out.error(c.id, c.message);
        break;
      case Verdict::could_not_test:
        out.warning(c.id, "could not be tested: " + c.message);
        break;
      case Verdict::pass:
      case Verdict::known_deviation:
      case Verdict::skipped:
      case Verdict::informational:
        break;
    }
  if (r.verdict == "partial")
    out.warning("conformance", "partial: some requirements could not be asked of this target");
}

void annotate(const LoadResult& r, Annotations& out) {
  for (const std::string& why : r.failed_because) out.error("load", why);
  for (const std::string& why : r.invalid_because) out.warning("load: not to be believed", why);
  for (const Threshold& t : r.thresholds)
    if (!t.passed) out.error("load: " + t.expression, "missed: it was " + format_measured(t));
}

}  // namespace

std::string to_annotations(const AnyResult& result) {
  Annotations out;
  std::visit([&](const auto& r) { annotate(r, out); }, result);
  return out.text();
}

}  // namespace roomcheck::reports
