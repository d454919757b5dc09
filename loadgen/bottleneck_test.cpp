#include "loadgen/bottleneck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roomcheck::loadgen {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// 10 s of 1,000 deliveries a second; the latency's median, second by second.
reports::LoadResult result(std::uint64_t due_at_end, const std::vector<int>& medians_ms) {
  reports::LoadResult out;
  out.duration_ns = 10'000'000'000;
  out.delivery.expected = out.delivery.delivered = 10'000;
  out.sends.due_at_end = due_at_end;
  for (const int ms : medians_ms) {
    reports::Second second;
    second.phase = "run";
    second.p50_ns = ms * 1'000'000LL;
    out.series.push_back(second);
  }
  return out;
}

TEST(Bottleneck, NobodyWhereTheTargetKeepsUp) {
  EXPECT_THAT(bottleneck(result(3, {1, 2, 1})),
              StartsWith("nobody: the target kept up with 1,000 deliveries/s"));
  // Half a second away, all the time: far, but not behind.
  EXPECT_THAT(bottleneck(result(500, {500, 500, 510})), StartsWith("nobody"));
}

TEST(Bottleneck, TheTargetWhereItFallsBehind) {
  EXPECT_EQ(
      bottleneck(result(500, {100, 300, 500})),
      "the target: it made 950 of the 1,000 deliveries/s that were due, and was 500 ms behind when the last "
      "message had been sent");
  // Its queue is full: it is not getting worse.
  EXPECT_THAT(bottleneck(result(4000, {4000, 4000})), StartsWith("the target: it made 600 of the 1,000"));
}

TEST(Bottleneck, TheTargetWhereItLoses) {
  reports::LoadResult r = result(0, {1, 1});
  r.delivery.lost = 25;
  EXPECT_EQ(bottleneck(r), "the target: it lost 25 of 10,000 deliveries (0.25 %)");
  r.sends.due_at_end = 2000;
  EXPECT_THAT(bottleneck(r), HasSubstr("2.00 s behind when the last message had been sent; it lost 25 of"));
}

TEST(Bottleneck, WhatStillCameWhenTheDrainEndedIsNotCalledLost) {
  reports::LoadResult r = result(0, {1, 1});
  r.delivery.lost = 25;
  r.events = {{1, "drain", "deliveries still came"}};
  EXPECT_EQ(bottleneck(r),
            "the target: it had not delivered 25 of 10,000 deliveries (0.25 %) when the drain ended");
}

TEST(Bottleneck, TheGeneratorWhereTheRunIsNotValidAndWhatTheLedgerKnowsAllTheSame) {
  reports::LoadResult r = result(4000, {100, 4000});
  r.valid = false;
  EXPECT_THAT(bottleneck(r), AllOf(StartsWith("this generator"), Not(HasSubstr("lost"))));
  r.delivery.lost = 25;
  EXPECT_THAT(bottleneck(r),
              HasSubstr("but it lost 25 of 10,000 deliveries (0.25 %), which holds for any run"));
}

TEST(Bottleneck, NobodyCanTellOfARunThatBroke) {
  reports::LoadResult r = result(0, {1});
  r.failed_because = {"the target closed all 5 connections"};
  EXPECT_EQ(bottleneck(r), "");
  EXPECT_EQ(bottleneck(reports::LoadResult()), "");
}

}  // namespace
}  // namespace roomcheck::loadgen
