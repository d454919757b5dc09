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

TEST(Merge, AddsEverythingElseThatCanBeAdded) {
  Split s = split();
  for (Shard& shard : s.shards) {
    LoadResult& r = shard.result;
    const std::uint64_t i = r.shard.index;
    r.sends.refused = 2;
    r.connections.left = 3;
    r.connections.reconnected = 4;
    r.connections.slow_readers = 5;
    r.connections.slow_delivered = 6;
    r.generator.threads = {{1000, .5}};
    r.generator.client_lag = ClientLag{{}, i};
    r.generator.client_lag->lag.record(std::chrono::milliseconds(i));
    r.generator.queue_samples = 100;
    r.generator.queue_samples_unread = i;
    r.generator.queue_unread_max_bytes = 10 * i;
    r.generator.queue_unsent_max_bytes = 20 * i;
    r.events = {{static_cast<std::int64_t>(10 - i), "stage", "b"}, {20, "closes", "c"}};
    r.sends.lag_p99_ns = static_cast<std::int64_t>(i == 1 ? 900 : 100);
    r.sends.due_at_end = 5 + i;
    r.connections.compressed = 7;
    r.generator.rss_growth_bytes = -1;
    r.series[0].rss_bytes = 10;
    r.series[0].target_rss_bytes = 50 + 10 * i;
    WorkloadResult w{"mine", "fan-out", {}, 10, 9};
    w.delivery.expected = 100;
    w.delivery.lost = 1;
    r.workloads = {w};
    r.stages = {{"ramp", 5, 50, 7, 8, static_cast<std::int64_t>(9 + i)},
                {"peak", 6, i == 1 ? 60u : 0u, 7, 8, 9}};
    r.room_sizes = {{8, i == 0 ? 4u : 0u, 100, 7, 8, 1, 9, 10}, {1, 1, i == 2 ? 5u : 0u, 7, 8, 1, 9, 10}};
    if (i > 0) r.target_process = {static_cast<std::int64_t>(1000 * i), 1, 60 + i, -2};
  }
  const LoadResult m = merge(s.shards);
  EXPECT_EQ(m.sends.refused, 6u);
  EXPECT_EQ(m.connections.left, 9u);
  EXPECT_EQ(m.connections.reconnected, 12u);
  EXPECT_EQ(m.connections.slow_readers, 15u);
  EXPECT_EQ(m.connections.slow_delivered, 18u);
  EXPECT_EQ(m.generator.threads.size(), 3u);
  ASSERT_TRUE(m.generator.client_lag);
  EXPECT_EQ(m.generator.client_lag->lag.count(), 3u);
  EXPECT_EQ(m.generator.client_lag->lag.max(), std::chrono::milliseconds(2));
  EXPECT_EQ(m.generator.client_lag->inexact, 3u);
  EXPECT_EQ(m.generator.queue_samples, 300u);
  EXPECT_EQ(m.generator.queue_samples_unread, 3u);
  EXPECT_EQ(m.generator.queue_unread_max_bytes, 20u);
  EXPECT_EQ(m.generator.queue_unsent_max_bytes, 40u);
  ASSERT_EQ(m.events.size(), 4u) << "a stage is told once, what happened to each shard by each";
  EXPECT_EQ(m.events[0].at_ns, 8);
  EXPECT_EQ(m.events[0].kind, "stage");
  EXPECT_EQ(m.sends.lag_p99_ns, 900) << "99 % of all were at most as late as the worst shard's";
  EXPECT_EQ(m.sends.due_at_end, 18u);
  EXPECT_EQ(m.connections.compressed, 21u);
  EXPECT_EQ(m.generator.rss_growth_bytes, -3);
  EXPECT_EQ(m.series[0].rss_bytes, 30u);
  EXPECT_EQ(m.series[0].target_rss_bytes, 70u);
  ASSERT_EQ(m.workloads.size(), 1u);
  EXPECT_EQ(m.workloads[0].name, "mine");
  EXPECT_EQ(m.workloads[0].intended, 30u);
  EXPECT_EQ(m.workloads[0].sent, 27u);
  EXPECT_EQ(m.workloads[0].delivery.expected, 300u);
  ASSERT_EQ(m.stages.size(), 2u);
  EXPECT_EQ(m.stages[0].name, "ramp");
  EXPECT_EQ(m.stages[0].sent, 15u);
  EXPECT_EQ(m.stages[0].delivered, 150u);
  EXPECT_EQ(m.stages[0].p50_ns, 0) << "percentiles of several cannot be added";
  EXPECT_EQ(m.stages[0].max_ns, 11);
  EXPECT_EQ(m.stages[1].p50_ns, 7) << "of one alone it is known";
  ASSERT_EQ(m.room_sizes.size(), 2u);
  EXPECT_EQ(m.room_sizes[0].members, 1u);
  EXPECT_EQ(m.room_sizes[0].rooms, 3u);
  EXPECT_EQ(m.room_sizes[0].last_p99_ns, 10);
  EXPECT_EQ(m.room_sizes[1].rooms, 4u);
  EXPECT_EQ(m.room_sizes[1].delivered, 300u);
  EXPECT_EQ(m.room_sizes[1].first_p50_ns, 0);
  ASSERT_TRUE(m.target_process.has_value());
  EXPECT_EQ(m.target_process->cpu_ns, 2000);
  EXPECT_EQ(m.target_process->rss_bytes, 62u) << "one process: not added";
  EXPECT_EQ(m.target_process->rss_growth_bytes, -2);
  EXPECT_EQ(m.target_process->cpu_per_delivery_ns, 0) << "2000 ns of 3000 deliveries";
}

// Shard 0 has sent 90 messages (10 ... 99) into "shared". On shard 1 two members were there all the time, one
// came (first 40), one left (last 59, 2 set apart). Owed: 90 + 90 + 60 + (50 - 2) = 288.
std::vector<Shard> with_streams() {
  Split s = split();
  for (Shard& shard : s.shards) shard.result.workloads = {{"fan-out", "fan-out", {}, 0, 0}};
  s.shards[0].result.streams_sent = {{"shared", 10, 100, 0}};
  StreamReceived r{"shared", 0, 0, 3, 40, 3, 60, 2, 285};
  s.shards[1].result.streams_received = {r};
  return s.shards;
}

TEST(Merge, WhatOneShardSentToMembersOfAnotherIsAccountedFor) {
  const LoadResult m = merge(with_streams());
  EXPECT_EQ(m.delivery.expected, 300u + 288);
  EXPECT_EQ(m.delivery.delivered, 297u + 285);
  EXPECT_EQ(m.delivery.lost, 3u + 3);
  EXPECT_EQ(m.workloads[0].delivery.lost, 3u);
  EXPECT_EQ(m.rooms[0].room, "shared");
  EXPECT_EQ(m.rooms[0].lost, 3u);
  EXPECT_EQ(m.thresholds[0].value, 6) << "delivery.lost is that of the whole";
  EXPECT_TRUE(m.valid);
  EXPECT_TRUE(m.streams_sent.empty() && m.streams_received.empty());
}

TEST(Merge, ARefusedMessageIsOwedToNobody) {
  auto shards = with_streams();
  shards[0].result.streams_sent[0].refused = 1;
  const LoadResult m = merge(shards);
  EXPECT_EQ(m.delivery.lost, 3u + 3 - 3) << "three were there to the end";
  EXPECT_FALSE(m.valid) << "one left, and whether before or after it nobody knows";
}

TEST(Merge, StreamsThatCannotBeAreRefused) {
  const auto changed = [](auto change) {
    auto shards = with_streams();
    change(shards);
    return refusal(shards);
  };
  EXPECT_THAT(changed([](auto& s) { s[1].result.streams_received[0].delivered = 289; }),
              HasSubstr("shard1.json: /streams_received/0: more was delivered than shard 0 has sent"));
  EXPECT_THAT(changed([](auto& s) { s[1].result.streams_received[0].room = "other"; }),
              HasSubstr("no shard has a room"));
  EXPECT_THAT(changed([](auto& s) { s[1].result.streams_received[0].workload = 1; }),
              HasSubstr("no such workload"));
  EXPECT_THAT(changed([](auto& s) { s[1].result.shard.run = 8; }),
              HasSubstr("its number (/shard/run) differs"));
  EXPECT_THAT(changed([](auto& s) { s[1].result.workloads.clear(); }), HasSubstr("number of workloads"));
}

TEST(Merge, TheWayToTheTargetMayDifferFromMachineToMachine) {
  Split s = split();
  s.shards[1].result.scenario["targets"] = {"ws://other"};
  s.shards[2].result.scenario["threads"] = 4;
  EXPECT_EQ(refusal(s.shards), "accepted");
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
