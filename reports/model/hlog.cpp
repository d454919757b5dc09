#include <cstdio>

#include "reports/model/plain.h"

namespace roomcheck::reports {
namespace {

std::string line(const std::string& tag, double at_s, double length_s, Nanoseconds max,
                 const std::string& histogram) {
  char numbers[120];
  std::snprintf(numbers, sizeof numbers, ",%.3f,%.3f,%.3f,", at_s, length_s,
                static_cast<double>(max.count()) / 1e6);
  return "Tag=" + tag + numbers + histogram + "\n";
}

}  // namespace

std::string to_hlog(const LoadResult& result) {
  std::string out =
      "#[Logged with roomcheck loadgen, started " + result.started +
      "]\n#[Histogram log format version 1.3]\n#[BaseTime: 0.000 (seconds since epoch)]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n";
  for (const Second& second : result.series)
    if (!second.histogram.empty())
      out += line("second", static_cast<double>(second.at_ns) / 1e9, 1, Nanoseconds(second.max_ns),
                  second.histogram);
  const double length = static_cast<double>(result.duration_ns) / 1e9;
  for (const auto& [name, latency] : result.latency) {
    if (latency.corrected.count() > 0)
      out += line(name, 0, length, latency.corrected.max(), latency.corrected.encode());
    if (latency.uncorrected.count() > 0)
      out += line(name + ".uncorrected", 0, length, latency.uncorrected.max(), latency.uncorrected.encode());
  }
  return out;
}

}  // namespace roomcheck::reports
