#include <cmath>
#include <cstdio>

#include "reports/model/plain.h"

namespace roomcheck::reports {
namespace {

constexpr int kTicksPerHalfDistance = 5;

double milliseconds(Nanoseconds t) { return static_cast<double>(t.count()) / 1e6; }

std::string row(double value_ms, double percentile, std::uint64_t total) {
  char text[80];
  if (percentile < 100)
    std::snprintf(text, sizeof text, "%12.3f %14.12f %10llu %14.2f\n", value_ms, percentile / 100,
                  static_cast<unsigned long long>(total), 1 / (1 - percentile / 100));
  else
    std::snprintf(text, sizeof text, "%12.3f %14.12f %10llu\n", value_ms, 1.0,
                  static_cast<unsigned long long>(total));
  return text;
}

}  // namespace

// The same walk as HdrHistogram's percentile iterator: from one reported percentile to the next the step
// halves each time the distance to 100 % has halved.
std::string to_hgrm(const stats::Histogram& h) {
  std::string out = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
  const auto total = static_cast<double>(h.count());
  std::uint64_t seen = 0;
  double next = 0, square_sum = 0;
  for (const stats::Histogram::Bucket& bucket : h.buckets()) {
    seen += bucket.count;
    const double off = milliseconds(bucket.value) - milliseconds(h.mean());
    square_sum += off * off * static_cast<double>(bucket.count);
    const double reached = 100 * static_cast<double>(seen) / total;
    while (next <= reached && next < 100) {
      out += row(milliseconds(bucket.value), next, seen);
      const double halvings = std::floor(std::log2(100 / (100 - next))) + 1;
      next += 100 / (kTicksPerHalfDistance * std::pow(2, halvings));
      if (seen == h.count()) break;
    }
  }
  if (h.count() > 0) out += row(milliseconds(h.buckets().back().value), 100, h.count());
  char end[300];
  std::snprintf(end, sizeof end,
                "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n#[Max     = %12.3f, Total count    = %12llu]\n"
                "#[Buckets = %12d, SubBuckets     = %12d]\n",
                milliseconds(h.mean()), h.count() == 0 ? 0 : std::sqrt(square_sum / total),
                milliseconds(h.max()), static_cast<unsigned long long>(h.count()), 23, 2048);
  return out + end;
}

}  // namespace roomcheck::reports
