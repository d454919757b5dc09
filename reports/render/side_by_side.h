#pragma once
#include <string>
#include <vector>

#include "reports/render/html.h"

namespace roomcheck::reports {

// The load runs among the results in one table and one chart, a column and a curve each; empty when there are
// fewer than two. Whether a difference means anything is not for one run a side to say: that is `compare`.
std::string side_by_side(const std::vector<NamedResult>& results);

}  // namespace roomcheck::reports
