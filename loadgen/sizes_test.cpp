#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "libs/base/result.h"
#include "loadgen/payload.h"
#include "loadgen/room_sizes.h"

namespace roomcheck::loadgen {
namespace {

using testing::ElementsAre;

TEST(RoomSizes, UniformDiffersByOneAtMost) { EXPECT_THAT(RoomSizes().of(11, 4), ElementsAre(3, 3, 3, 2)); }

TEST(RoomSizes, ZipfGivesEveryClientARoomAndEveryRoomAClient) {
  for (const char* text : {"zipf", "zipf:0.5", "zipf:3"}) {
    const auto sizes = RoomSizes::parse(text).of(10'000, 100);
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), 0u), 10'000u) << text;
    EXPECT_TRUE(std::is_sorted(sizes.rbegin(), sizes.rend())) << text;
    EXPECT_GE(sizes.back(), 1u) << text;
  }
  const auto sizes = RoomSizes::parse("zipf").of(10'000, 100);
  EXPECT_NEAR(sizes[0] / double(sizes[9]), 10, 0.5);
}

TEST(RoomSizes, AListIsTakenAsItStands) {
  EXPECT_THAT(RoomSizes::parse("5,2*3").of(0, 0), ElementsAre(5, 2, 2, 2));
}

TEST(RoomSizes, NonsenseIsRefusedWithTheForms) {
  for (const char* text : {"", "zipf:", "zipf:9", "zipfy", "5,,3", "0", "5*0", "-1", "many"})
    EXPECT_THROW(RoomSizes::parse(text), BadInput) << text;
}

TEST(PayloadSizes, OneSizeIsOneSize) {
  const PayloadSizes sizes = PayloadSizes::parse("100");
  EXPECT_EQ(sizes.of(3, 4), 100u);
  EXPECT_EQ(sizes.largest(), 100u);
}

TEST(PayloadSizes, ARangeIsUsedEvenlyAndTheSameEachTime) {
  const PayloadSizes sizes = PayloadSizes::parse("64..163");
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const std::size_t size = sizes.of(1, i);
    ASSERT_TRUE(size >= 64 && size <= 163);
    ASSERT_EQ(sizes.of(1, i), size);
    sum += size;
  }
  EXPECT_NEAR(static_cast<double>(sum) / 10'000, 113.5, 1.5);
}

TEST(PayloadSizes, WeightsAreShares) {
  const PayloadSizes sizes = PayloadSizes::parse("100*9,4KiB*1");
  int large = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) large += sizes.of(1, i) == 4096 ? 1 : 0;
  EXPECT_NEAR(large, 1000, 100);
  EXPECT_EQ(sizes.largest(), 4096u);
}

TEST(PayloadSizes, WhatCannotCarryAProbeIsRefused) {
  for (const char* text : {"", "63", "2MiB", "200..100", "100*0", "100*x", "64..", "long"})
    EXPECT_THROW(PayloadSizes::parse(text), BadInput) << text;
}

}  // namespace
}  // namespace roomcheck::loadgen
