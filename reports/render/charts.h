#pragma once
#include <string>
#include <vector>

#include "reports/model/load_result.h"

namespace roomcheck::reports {

// Each is a figure that web/page.js draws, with its data as a table beside it for those who cannot see it;
// empty when there is nothing to draw.
struct Curve {
  std::string label;
  const stats::Histogram* histogram;
  int colour;        // 1 to 8: --series-N of page.css
  const char* form;  // "solid", "dashed", or "thin" (one of many runs: behind, and not in the legend)
};
// On an axis of nines: 90 %, 99 %, 99.9 % ... are equally far apart.
std::string percentile_chart(const std::vector<Curve>& curves, const std::string& id,
                             const std::string& title, const std::string& caption);
std::string percentile_chart(const Latency& latency, const std::string& id, const std::string& title);
// Against time: stages as bands, events as lines.
std::string latency_over_time_chart(const LoadResult& result, const std::string& id);
std::string rate_over_time_chart(const LoadResult& result, const std::string& id);
std::string members_over_time_chart(const LoadResult& result, const std::string& id);
// Empty when the result does not know it (of the target: --target-pid).
std::string memory_over_time_chart(const LoadResult& result, const std::string& id);
// How many deliveries took how long in each second: shows two humps where percentiles show one line. Empty
// when the result has no histograms of its seconds.
std::string heat_map(const LoadResult& result, const std::string& id);

}  // namespace roomcheck::reports
