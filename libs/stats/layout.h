#pragma once
#include <cstddef>
#include <cstdint>

// Where HdrHistogram puts a value, for lowest discernible 1,000, highest trackable 3.6e12, three significant
// digits. Private to this folder.
//
//   bucket 0    2048 sub-buckets of 2^9 ns   [0, 2^20)      indexes    0 .. 2047
//   bucket 1    1024 sub-buckets of 2^10 ns  [2^20, 2^21)   indexes 2048 .. 3071   (the lower half is bucket
//   0's)
//   ...
//   bucket 22   1024 sub-buckets of 2^31 ns  [2^41, 2^42)   the last that 3.6e12 needs
namespace roomcheck::stats::layout {

constexpr std::int64_t kLowest = 1000;
constexpr std::int64_t kHighest = 3'600'000'000'000;
constexpr int kDigits = 3;
constexpr int kUnitMagnitude = 9;        // floor(log2(1000))
constexpr int kHalfCountMagnitude = 10;  // half of 2048, the power of two that holds 2 * 10^3
constexpr std::size_t kHalfCount = 1u << kHalfCountMagnitude;
constexpr std::size_t kBuckets = 23;
constexpr std::size_t kLength = (kBuckets + 1) * kHalfCount;

// REQUIRES: 0 <= value <= kHighest.
inline std::size_t index_of(std::int64_t value) {
  constexpr std::uint64_t kFirstBucketMask = (std::uint64_t{2} * kHalfCount << kUnitMagnitude) - 1;
  const auto v = static_cast<std::uint64_t>(value);
  const int bucket = 63 - __builtin_clzll(v | kFirstBucketMask) - kHalfCountMagnitude - kUnitMagnitude;
  return (static_cast<std::size_t>(bucket) << kHalfCountMagnitude) + (v >> (bucket + kUnitMagnitude));
}

struct Range {
  std::int64_t lowest;
  std::int64_t highest;  // the "highest equivalent value"
};

inline Range range_of(std::size_t index) {
  const std::size_t bucket = index < 2 * kHalfCount ? 0 : index / kHalfCount - 1;
  const int shift = static_cast<int>(bucket) + kUnitMagnitude;
  const auto lowest = static_cast<std::int64_t>((index - bucket * kHalfCount) << shift);
  return {lowest, lowest + (std::int64_t{1} << shift) - 1};
}

}  // namespace roomcheck::stats::layout
