#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "libs/base/clock.h"

namespace roomcheck::loadgen {

// Times of one room, coarse on purpose: 32 buckets an octave (a value is overstated by at most 3.2 %) in 4
// KiB, where the HDR histogram takes 200 KiB; thousands of rooms are meant to fit.
//
// Thread: one. What is below 1 us or above an hour counts in the outermost bucket.
class RoomLatency {
 public:
  void record(Nanoseconds value) {
    if (counts_.empty()) counts_.resize(kOctaves * 32);
    const auto v = static_cast<std::uint64_t>(std::clamp(value.count(), kLowest, kHighest));
    const int octave = 63 - __builtin_clzll(v);
    ++counts_[static_cast<std::size_t>(octave - kFirstOctave) * 32 + (v >> (octave - 5) & 31)];
    ++count_;
    max_ = std::max(max_, value);
  }

  // The highest value of the bucket that holds the quantile, never above the maximum.
  Nanoseconds quantile(double q) const {
    const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(count_) + 0.999999);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (counts_[i] == 0 || seen < wanted) continue;
      const int shift = static_cast<int>(i / 32) + kFirstOctave - 5;
      return std::min(max_, Nanoseconds((static_cast<std::int64_t>(i % 32 + 33) << shift) - 1));
    }
    return Nanoseconds(0);
  }
  Nanoseconds max() const { return max_; }
  std::uint64_t count() const { return count_; }
  void merge(const RoomLatency& other) {
    if (other.counts_.empty()) return;
    counts_.resize(kOctaves * 32);
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
  }

 private:
  static constexpr int kFirstOctave = 10;  // 1,024 ns
  static constexpr std::size_t kOctaves = 32;
  static constexpr std::int64_t kLowest = 1 << kFirstOctave;
  static constexpr std::int64_t kHighest = (std::int64_t{1} << (kFirstOctave + 32)) - 1;  // 73 min

  std::vector<std::uint32_t> counts_;
  std::uint64_t count_ = 0;
  Nanoseconds max_{0};
};

}  // namespace roomcheck::loadgen
