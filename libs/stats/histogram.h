#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/result.h"

namespace roomcheck::stats {

// An HDR histogram of times: three significant digits from 1 us to 1 h, in nanoseconds, bucket for bucket the
// layout of HdrHistogram (lowest discernible 1,000 ns, highest trackable 3.6e12 ns), so that its tools read
// ours.
//
// Below 1 ms the buckets are 512 ns wide (so a value below 1 us falls into one of the lowest two); above,
// they grow with the value and are never wider than a thousandth of it. A value above 1 h, or negative, is
// refused and counted in refused(): nothing is lost silently.
//
// Thread: one; merge after the threads have joined. Memory: constant, about 200 KiB (allocated at the first
// record).
class Histogram {
 public:
  Histogram() = default;

  void record(Nanoseconds value) { record_n(value, 1); }
  void record_n(Nanoseconds value, std::uint64_t count);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t refused() const { return refused_; }
  Nanoseconds min() const;   // exact; 0 when empty
  Nanoseconds max() const;   // exact
  Nanoseconds mean() const;  // exact sum / count
  // The smallest recorded bucket's highest equivalent value such that a fraction q (0..1) of the samples is
  // not above it.
  Nanoseconds quantile(double q) const;

  // Each non-empty bucket: highest equivalent value and its count, ascending.
  struct Bucket {
    Nanoseconds value;
    std::uint64_t count;
  };
  std::vector<Bucket> buckets() const;

  // HdrHistogram V2, zlib-compressed, base64: what hdr-histogram-js and HdrHistogram read.
  std::string encode() const;
  // bad_input, with the reason, for anything else, and for other bounds than ours. The format holds counts
  // only: min, max and mean of what was decoded are as exact as a bucket, and refused() is 0.
  static Result<Histogram> decode(std::string_view base64);
  // Gives a decoded histogram back what the encoding cannot carry: it knows these only to the width of a
  // bucket.
  void restore_exact(Nanoseconds min, Nanoseconds max, Nanoseconds mean);

  // The same count in every bucket.
  friend bool operator==(const Histogram& a, const Histogram& b);

 private:
  __extension__ typedef unsigned __int128
      Sum;  // 64 bits overflow at a few hundred million samples of a minute

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t refused_ = 0;
  std::int64_t min_ = 0;
  std::int64_t max_ = 0;
  Sum sum_ = 0;
};

}  // namespace roomcheck::stats
