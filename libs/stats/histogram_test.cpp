#include "libs/stats/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "libs/stats/layout.h"

namespace roomcheck::stats {
namespace {

using namespace std::chrono_literals;

std::vector<std::int64_t> some_latencies(std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> latency(std::log(3e6), 1.5);
  std::vector<std::int64_t> out;
  while (out.size() < count) out.push_back(static_cast<std::int64_t>(latency(random)));
  return out;
}

Histogram histogram_of(const std::vector<std::int64_t>& values) {
  Histogram out;
  for (const std::int64_t value : values) out.record(Nanoseconds(value));
  return out;
}

TEST(Histogram, QuantilesAreWithinAThousandthOfTheSortedSamples) {
  std::vector<std::int64_t> values = some_latencies(100'000, 1);
  const Histogram histogram = histogram_of(values);
  std::sort(values.begin(), values.end());
  for (const double q : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(q * 100'000 - 1e-6)));
    const std::int64_t exact = values[rank - 1];
    const std::int64_t got = histogram.quantile(q).count();
    EXPECT_GE(got, exact) << q;
    EXPECT_LE(got, exact + std::max<std::int64_t>(512, exact / 1000)) << q;
  }
  EXPECT_EQ(histogram.min().count(), values.front());
  EXPECT_EQ(histogram.max().count(), values.back());
  long double sum = 0;
  for (const std::int64_t value : values) sum += value;
  EXPECT_EQ(histogram.mean().count(), static_cast<std::int64_t>(sum / 100'000));
}

TEST(Histogram, EachBucketBeginsWhereTheOneBeforeEnds) {
  std::int64_t next = 0;
  for (std::size_t i = 0; i < layout::kLength; ++i) {
    const layout::Range range = layout::range_of(i);
    ASSERT_EQ(range.lowest, next) << i;
    next = range.highest + 1;
    if (range.highest > layout::kHighest) continue;
    ASSERT_EQ(layout::index_of(range.lowest), i);
    ASSERT_EQ(layout::index_of(range.highest), i);
  }
  EXPECT_GT(next, layout::kHighest);
  EXPECT_EQ(layout::kLength,
            layout::index_of(layout::kHighest) / 1024 * 1024 + 1024);  // and not one bucket more
}

TEST(Histogram, TheMedianOfTenIsTheFifth) {
  Histogram histogram;
  for (int i = 1; i <= 10; ++i) histogram.record(i * 100ms);
  EXPECT_GE(histogram.quantile(0.5), 500ms);
  EXPECT_LT(histogram.quantile(0.5), 501ms);
  EXPECT_LT(histogram.quantile(0.9), 901ms);  // and 0.9 * 10 is nine, not ten
  EXPECT_GE(histogram.quantile(0.91), 1000ms);
}

TEST(Histogram, MergeIsTheHistogramOfAllSamples) {
  const std::vector<std::int64_t> a = some_latencies(5'000, 2);
  const std::vector<std::int64_t> b = some_latencies(7'000, 3);
  std::vector<std::int64_t> all = a;
  all.insert(all.end(), b.begin(), b.end());
  Histogram merged = histogram_of(a);
  merged.merge(histogram_of(b));
  merged.merge(Histogram());
  const Histogram whole = histogram_of(all);
  EXPECT_EQ(merged, whole);
  EXPECT_EQ(merged.min(), whole.min());
  EXPECT_EQ(merged.max(), whole.max());
  EXPECT_EQ(merged.mean(), whole.mean());
  Histogram from_empty;
  from_empty.merge(whole);
  EXPECT_EQ(from_empty, whole);
  EXPECT_EQ(from_empty.min(), whole.min());
}

TEST(Histogram, RefusesAndCountsWhatItCannotHold) {
  Histogram histogram;
  histogram.record(-1ns);
  histogram.record(1h + 1ns);
  histogram.record(1h);
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_EQ(histogram.refused(), 2u);
  Histogram other;
  other.record(-5ns);
  other.merge(histogram);
  EXPECT_EQ(other.refused(), 3u);
}

TEST(Histogram, ATimeBelowTheLowestStillCounts) {
  Histogram histogram;
  histogram.record(0ns);
  histogram.record(3ns);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.quantile(1.0), 511ns);
}

TEST(Histogram, AnEmptyOneHasOnlyZeros) {
  const Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.99), 0ns);
  EXPECT_EQ(histogram.mean(), 0ns);
  EXPECT_TRUE(histogram.buckets().empty());
  EXPECT_EQ(Histogram::decode(histogram.encode()).value(), histogram);
}

TEST(Histogram, SurvivesEncodingAndDecoding) {
  Histogram histogram = histogram_of(some_latencies(20'000, 4));
  histogram.record_n(0ns, 1);
  histogram.record_n(1h, 123'456'789'012'345);
  const Result<Histogram> back = Histogram::decode(histogram.encode());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, histogram);
  EXPECT_EQ(back->quantile(0.99), histogram.quantile(0.99));
  EXPECT_EQ(back->encode(), histogram.encode());
}

// Written by hdr-histogram-js 3.0.1: 1000 x 1 ms, 100 x 10 ms, 10 x 1 s, 1 x 2 s, 1 x 1 h.
constexpr std::string_view kForeignVector =
    "HISTFAAAADp4nJNpmSzMwMAgxMDAwMjAwMDMAAbMLxgYmN0MdixggALGg3IX+A+bnGC8nSXyl59p/RpGJgDupwtd";

TEST(Histogram, ReadsWhatHdrHistogramJsWrote) {
  const Result<Histogram> theirs = Histogram::decode(kForeignVector);
  ASSERT_TRUE(theirs.ok()) << theirs.error().message;
  Histogram ours;
  ours.record_n(1ms, 1000);
  ours.record_n(10ms, 100);
  ours.record_n(1s, 10);
  ours.record(2s);
  ours.record(1h);
  EXPECT_EQ(*theirs, ours);
  EXPECT_EQ(theirs->quantile(0.5).count(), 1000447);
  EXPECT_EQ(theirs->quantile(0.99).count(), 1000341503);
  EXPECT_EQ(theirs->quantile(0.999).count(), 2000683007);
}

TEST(Histogram, SaysWhyItCannotDecode) {
  const auto why = [](std::string_view text) {
    const Result<Histogram> result = Histogram::decode(text);
    return result.ok() ? "decoded" : result.error().message;
  };
  EXPECT_NE(why("%%%").find("base64"), std::string::npos);
  EXPECT_NE(why("").find("cookie"), std::string::npos);
  EXPECT_NE(why("AAAAAAAAAAAA").find("cookie"), std::string::npos);
  EXPECT_NE(why(kForeignVector.substr(0, 40)).find("truncated"), std::string::npos);
  std::string damaged(kForeignVector);
  damaged[20] = damaged[20] == 'A' ? 'B' : 'A';
  EXPECT_NE(why(damaged).find("zlib"), std::string::npos) << why(damaged);
}

}  // namespace
}  // namespace roomcheck::stats
