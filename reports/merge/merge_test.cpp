#include "reports/merge/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/result.h"
#include "reports/samples/samples.h"

namespace roomcheck::reports {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kShards = 3;

// The run that one process would have measured, and its parts: sample k of it falls to shard k % 3.
struct Split {
  LoadResult whole;
  std::vector<Shard> shards;
};

Split split() {
  Split out;
  out.whole.thresholds = {{"delivery.lost==0", 3, false}, {"fan_out.p50<1s", 0, true}};
  for (std::uint64_t i = 0; i < kShards; ++i) {
    LoadResult shard;
    shard.shard = {i, kShards};
    shard.scenario = {{"clients", 30}};
    shard.seed = 9;
    shard.versions = {{"roomcheck", "0.1.0"}, {"kernel", i == 2 ? "6.2" : "6.1"}};
    shard.command = "loadgen run --shard " + std::to_string(i) + "/3";
    shard.delivery.expected = 100;
    shard.delivery.delivered = 99;
    shard.delivery.lost = 1;
    shard.sends = {10, 10, i, 0};
    shard.connections = {10, 10, 0, 0, {{"close 1006", i}}};
    shard.thresholds = {{"delivery.lost==0", 1, false}, {"fan_out.p50<1s", 0, true}};
    shard.rooms = {{"shared", 2, 20, 20, 0, 5, 6, 7}, {"own-" + std::to_string(i), 8, 80, 79, 1, 5, 6, 7}};
    out.shards.push_back({"shard" + std::to_string(i) + ".json", shard});
  }
  std::vector<stats::Histogram> whole_seconds(2);
  std::vector<std::vector<stats::Histogram>> parts(kShards, std::vector<stats::Histogram>(2));
  for (std::uint64_t k = 0; k < 3000; ++k) {
    const Nanoseconds value(700'000 + static_cast<std::int64_t>(k * k % 7919) * 10'007);
    for (LoadResult* r : {&out.whole, &out.shards[k % kShards].result}) {
      r->latency["fan_out"].corrected.record(value);
      r->latency["fan_out"].uncorrected.record(value / 2);
    }
    whole_seconds[k / 1500].record(value);
    parts[k % kShards][k / 1500].record(value);
  }
  const auto series = [](LoadResult& r, const std::vector<stats::Histogram>& seconds, std::uint64_t members) {
    for (std::size_t s = 0; s < seconds.size(); ++s)
      r.series.push_back({static_cast<std::int64_t>(s) * 1'000'000'000, "run", members, 5 * members,
                          seconds[s].count(), seconds[s].quantile(.5).count(),
                          seconds[s].quantile(.99).count(), seconds[s].max().count(), seconds[s].encode()});
  };
  series(out.whole, whole_seconds, 30);
  for (std::uint64_t i = 0; i < kShards; ++i) series(out.shards[i].result, parts[i], 10);
  return out;
}

std::string refusal(std::vector<Shard> shards) {
  try {
    merge(std::move(shards));
    return "accepted";
  } catch (const BadInput& e) {
    return e.what();
  }
}

TEST(Merge, IsExactlyWhatOneProcessWouldHaveMeasured) {
  Split s = split();
  std::swap(s.shards[0], s.shards[2]);  // in any order
  const LoadResult merged = merge(s.shards);
  const auto json = to_json(merged), whole = to_json(s.whole);
  EXPECT_EQ(json["latency"]["fan_out"], whole["latency"]["fan_out"]);
  EXPECT_EQ(json["series"], whole["series"]);
  EXPECT_EQ(merged.delivery.expected, 300u);
  EXPECT_EQ(merged.delivery.lost, 3u);
  EXPECT_EQ(merged.sends.late, 0u + 1 + 2);
  EXPECT_EQ(merged.connections.by_error.at("close 1006"), 3u);
  EXPECT_EQ(merged.shard.count, 1u);
  EXPECT_EQ(merged.versions.at("kernel"), "6.1; 6.2");
  EXPECT_EQ(merged.command, "loadgen run --shard 0/3\nloadgen run --shard 1/3\nloadgen run --shard 2/3");
}

TEST(Merge, JudgesThresholdsOnTheWhole) {
  const LoadResult merged = merge(split().shards);
  ASSERT_EQ(merged.thresholds.size(), 2u);
  EXPECT_EQ(merged.thresholds[0].value, 3);
  EXPECT_FALSE(merged.thresholds[0].passed);
  EXPECT_TRUE(merged.thresholds[1].passed);
}

TEST(Merge, ARoomOnSeveralShardsIsOneWhosePercentilesAreUnknown) {
  const LoadResult merged = merge(split().shards);
  ASSERT_EQ(merged.rooms.size(), 4u);
  EXPECT_EQ(merged.rooms[0].members, 6u);
  EXPECT_EQ(merged.rooms[0].p50_ns, 0);
  EXPECT_EQ(merged.rooms[0].max_ns, 7);
  EXPECT_EQ(merged.rooms[1].p50_ns, 5);
}

TEST(Merge, OneInvalidShardMakesTheRunInvalidAndIsNamed) {
  Split s = split();
  s.shards[1].result.valid = false;
  s.shards[1].result.invalid_because = {"busy"};
  const LoadResult merged = merge(s.shards);
  EXPECT_FALSE(merged.valid);
  EXPECT_THAT(merged.invalid_because, testing::ElementsAre("shard 1/3: busy"));
}

TEST(Merge, RefusesShardsOfDifferentRuns) {
  const auto changed = [](auto change) {
    Split s = split();
    change(s.shards[1].result);
    return refusal(s.shards);
  };
  EXPECT_THAT(changed([](LoadResult& r) { r.seed = 10; }),
              testing::Eq("shard1.json: of another run than shard0.json: its seed differs"));
  EXPECT_THAT(changed([](LoadResult& r) { r.scenario["clients"] = 31; }), HasSubstr("its scenario differs"));
  EXPECT_THAT(changed([](LoadResult& r) { r.profile = "other"; }), HasSubstr("its profile differs"));
  EXPECT_THAT(changed([](LoadResult& r) { r.versions["roomcheck"] = "9"; }), HasSubstr("version"));
  EXPECT_THAT(changed([](LoadResult& r) { r.shard.count = 4; }), HasSubstr("number of shards"));
  EXPECT_THAT(changed([](LoadResult& r) { r.shard = {}; }), HasSubstr("a whole run"));
  EXPECT_THAT(changed([](LoadResult& r) { r.shard.index = 0; }), HasSubstr("shard 0/3, as shard0.json"));
  EXPECT_THAT(changed([](LoadResult& r) { r.shard.index = 7; }), HasSubstr("damaged"));
  EXPECT_THAT(changed([](LoadResult& r) { r.series[0].histogram = "AAAA"; }), HasSubstr("cannot be decoded"));
  Split s = split();
  s.shards.pop_back();
  EXPECT_THAT(refusal(s.shards), testing::StartsWith("shard 2/3 is missing"));
}

}  // namespace
}  // namespace roomcheck::reports
