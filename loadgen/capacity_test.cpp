#include "loadgen/capacity.h"

#include <gtest/gtest.h>

#include <cmath>

namespace roomcheck::loadgen {
namespace {

using Verdict = Step::Verdict;
using namespace std::chrono_literals;

// A target that can do `knee`, and a generator that can do `ours`.
Capacity search(double knee, double ours, Search how = {}) {
  return search_capacity(how, [&](double load, std::chrono::nanoseconds) {
    Step step;
    step.deliveries = load * 10;
    step.verdict = load > ours ? Verdict::generator : load > knee ? Verdict::missed : Verdict::met;
    return step;
  });
}

TEST(Capacity, FindsAnyKneeWithinThePrecision) {
  for (const double knee : {0.9, 1.0, 3.7, 1000.0, 123'456.0}) {
    const Capacity found = search(knee, 1e9);
    EXPECT_LE(found.load, knee);
    EXPECT_GE(found.load, knee * 0.975) << knee;
    EXPECT_EQ(found.first_to_fail.verdict, Verdict::missed);
    EXPECT_GT(found.first_to_fail.load, knee);
    EXPECT_EQ(found.deliveries, found.load * 10);
  }
}

TEST(Capacity, SaysWhenTheGeneratorGaveFirst) {
  const Capacity found = search(1e9, 500);
  EXPECT_NEAR(found.load, 500, 12);
  EXPECT_EQ(found.first_to_fail.verdict, Verdict::generator);
}

TEST(Capacity, StopsAtTheGivenLimit) {
  Search how;
  how.to = 100;
  const Capacity found = search(1e9, 1e9, how);
  EXPECT_EQ(found.load, 100);
  EXPECT_EQ(found.first_to_fail.load, 0);
}

TEST(Capacity, ATargetThatCanDoNothingIsGivenUp) {
  const Capacity found = search(0, 1e9);
  EXPECT_EQ(found.load, 0);
  EXPECT_LT(found.steps.size(), 20u);
}

TEST(Capacity, ClientsComeWhole) {
  Search how;
  how.from = 10;
  how.whole = true;
  const Capacity found = search(777, 1e9, how);
  EXPECT_EQ(found.load, std::floor(found.load));
  EXPECT_NEAR(found.load, 777, 16);
}

TEST(Capacity, OneBadMomentIsNotBelieved) {
  int calls = 0;
  const Capacity found = search_capacity({}, [&](double load, std::chrono::nanoseconds) {
    Step step;
    step.verdict = load > 100 || ++calls % 3 == 1 ? Verdict::missed : Verdict::met;
    return step;
  });
  EXPECT_GE(found.load, 95);
}

TEST(Capacity, WhatIsNotConfirmedIsNotTheAnswer) {
  // Holds 100 for a moment, 80 for longer.
  const Capacity found = search_capacity({}, [&](double load, std::chrono::nanoseconds duration) {
    Step step;
    step.verdict = load > (duration > 5s ? 80 : 100) ? Verdict::missed : Verdict::met;
    return step;
  });
  EXPECT_LE(found.load, 80);
  EXPECT_GE(found.load, 78);
}

}  // namespace
}  // namespace roomcheck::loadgen
