#pragma once
#include <string>

#include "libs/stats/histogram.h"
#include "reports/model/read.h"

namespace roomcheck::reports {

// Comma-separated values (RFC 4180), one table: times in nanoseconds, as in the result. Of a load run
// `series` (a row a second), `latency` (a row for each latency, corrected and uncorrected) or `rooms`; of a
// conformance run `cases`. Throws BadInput for a table that this kind of result does not have; "" is the
// first.
std::string to_csv(const AnyResult& result, const std::string& table);

// The percentile distribution in HdrHistogram's text form, values in milliseconds, five ticks per half
// distance: what its plotter and hdr-plot read.
std::string to_hgrm(const stats::Histogram& histogram);

// HdrHistogram's V2 log (format 1.3), values in nanoseconds, Interval_Max in milliseconds: the corrected
// latencies of each second with the tag "second", then each latency of the whole run with the tag of its name
// ("fan_out", "fan_out.uncorrected").
std::string to_hlog(const LoadResult& result);

}  // namespace roomcheck::reports
