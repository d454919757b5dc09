#pragma once
#include <string>

#include "reports/model/load_result.h"

namespace roomcheck::reports {

// Each is a figure that web/page.js draws, with its data as a table beside it; empty when there is nothing to
// draw.
std::string percentile_chart(const Latency& latency, const std::string& id);
std::string latency_over_time_chart(const LoadResult& result, const std::string& id);
std::string rate_over_time_chart(const LoadResult& result, const std::string& id);

}  // namespace roomcheck::reports
