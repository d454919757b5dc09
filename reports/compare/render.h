#pragma once
#include <string>
#include <vector>

#include "reports/compare/conformance_comparison.h"
#include "reports/compare/load_comparison.h"
#include "reports/render/sections.h"

namespace roomcheck::reports {

Headline headline(const LoadComparison& comparison);
Headline headline(const ConformanceComparison& comparison, bool strict);

std::vector<std::string> some_set_aside(
    const LoadComparison& comparison);                     // the first few, and how many more
std::size_t believable(const std::vector<LoadRun>& runs);  // how many

// "1.20 ms", "1,234", "0.25".
std::string format_value(const MetricComparison& metric, double value);
// The change of NEW against BASE: "+20.1 %", "-3.0 %".
std::string format_change(double ratio);
// What can be said of a metric: "worse, by more than the 5 % allowed", "no difference can be told; 5 % would
// take 38 runs a side".
std::string judgement(const MetricComparison& metric);
std::string judgement(const FaultComparison& fault);
// What the numbers are: "Medians of runs; ..., p of a rank test, corrected for the number of metrics."
std::string method(const LoadComparison& comparison);
std::string_view to_string(CaseChange::Kind kind);

// The same numbers in each form. Text is for a terminal, Markdown for a pull request, the page is complete in
// itself; `json` is for machines (roomcheck.comparison/1).
std::string to_text(const LoadComparison& comparison);
std::string to_markdown(const LoadComparison& comparison);
std::string to_html(const LoadComparison& comparison);
std::string to_json_text(const LoadComparison& comparison);

std::string to_text(const ConformanceComparison& comparison, bool strict);
std::string to_markdown(const ConformanceComparison& comparison, bool strict);
std::string to_html(const ConformanceComparison& comparison, bool strict);
std::string to_json_text(const ConformanceComparison& comparison, bool strict);

}  // namespace roomcheck::reports
