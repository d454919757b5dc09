#include "loadgen/events.h"

#include <gtest/gtest.h>

namespace roomcheck::loadgen {
namespace {

using namespace std::chrono_literals;

TEST(Events, SecondsInARowAreOneWaveAtItsFirst) {
  Events events;
  const std::uint64_t closes[] = {0, 1, 7, 0, 0, 3};
  for (std::uint64_t second = 0; second < 6; ++second) events.count(second, "closes", closes[second]);
  events.add(500ms, "signal", "ended early");
  const auto told = events.take();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].kind, "signal");
  EXPECT_EQ(told[1].at_ns, 1'000'000'000);
  EXPECT_EQ(told[1].text, "the target closed 8 connections within 2 s");
  EXPECT_EQ(told[2].at_ns, 5'000'000'000);
  EXPECT_EQ(told[2].text, "the target closed 3 connections");
}

TEST(Events, AreBoundedAndSayHowManyAreLeftOut) {
  Events events;
  for (int i = 0; i < 1000; ++i) events.add(i * 1s, "stage", "s");
  const auto told = events.take();
  ASSERT_EQ(told.size(), Events::kMost);
  EXPECT_EQ(told.back().at_ns, 99'000'000'000);
  EXPECT_EQ(told.back().text, "from here on 901 more events, which are left out");
  for (int i = 0; i < 100; ++i) events.add(i * 1s, "stage", "s");
  EXPECT_EQ(events.take().back().kind, "stage");  // a hundred fit
}

}  // namespace
}  // namespace roomcheck::loadgen
