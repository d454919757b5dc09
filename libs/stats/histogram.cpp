#include "libs/stats/histogram.h"

#include <algorithm>
#include <cmath>

#include "libs/stats/layout.h"

namespace roomcheck::stats {

void Histogram::record_n(Nanoseconds value, std::uint64_t count) {
  const std::int64_t v = value.count();
  if (v < 0 || v > layout::kHighest) {
    refused_ += count;
    return;
  }
  if (count == 0) return;
  if (counts_.empty()) counts_.resize(layout::kLength);
  counts_[layout::index_of(v)] += count;
  min_ = count_ == 0 ? v : std::min(min_, v);
  max_ = std::max(max_, v);
  count_ += count;
  sum_ += static_cast<Sum>(v) * count;
}

void Histogram::merge(const Histogram& other) {
  refused_ += other.refused_;
  if (other.count_ == 0) return;
  if (counts_.empty()) counts_.resize(layout::kLength);
  for (std::size_t i = 0; i < layout::kLength; ++i) counts_[i] += other.counts_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
}

Nanoseconds Histogram::min() const { return Nanoseconds(min_); }
Nanoseconds Histogram::max() const { return Nanoseconds(max_); }
Nanoseconds Histogram::mean() const {
  return Nanoseconds(count_ == 0 ? 0 : static_cast<std::int64_t>(sum_ / count_));
}

Nanoseconds Histogram::quantile(double q) const {
  if (count_ == 0) return Nanoseconds(0);
  // One unit in the last place less, as HdrHistogram does: 0.9 * 10 may come out a hair above 9 and would
  // skip a sample.
  const double rank = std::nextafter(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_), 0.0);
  const auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(rank)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < layout::kLength; ++i) {
    seen += counts_[i];
    if (seen >= wanted) return Nanoseconds(layout::range_of(i).highest);
  }
  return max();  // only when the rounding of a count beyond 2^53 asked for more than there is
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> out;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] != 0) out.push_back({Nanoseconds(layout::range_of(i).highest), counts_[i]});
  return out;
}

bool operator==(const Histogram& a, const Histogram& b) {
  return a.count_ == b.count_ && (a.count_ == 0 || a.counts_ == b.counts_);
}

void Histogram::restore_exact(Nanoseconds min, Nanoseconds max, Nanoseconds mean) {
  min_ = min.count();
  max_ = max.count();
  sum_ = static_cast<long double>(mean.count()) * static_cast<long double>(count_);
}

}  // namespace roomcheck::stats
