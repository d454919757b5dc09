#pragma once
#include <string>
#include <vector>

#include "reports/model/conformance_result.h"

namespace roomcheck::reports {

struct Implementation {
  std::string name;  // the head of its column
  ConformanceResult result;
};

// Requirements by implementations: a row for each requirement that any of them was asked, a column for each
// implementation, in the order given. A cell shows the most urgent verdict of the requirement's cases.
//
// The page: a click on a cell unfolds its cases with their transcripts; known deviations stand with their
// reasons; a partial run is marked and says what it lacked.
std::string render_matrix_html(const std::vector<Implementation>& implementations);
// The same table for a README, with the known deviations and what partial runs lacked below it.
std::string render_matrix_markdown(const std::vector<Implementation>& implementations);

}  // namespace roomcheck::reports
