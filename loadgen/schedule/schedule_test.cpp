#include <gtest/gtest.h>

#include <cmath>

#include "loadgen/schedule/load_curve.h"

namespace roomcheck::loadgen {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kNever = Nanoseconds::max();

Schedule constant(double rate, Nanoseconds duration) {
  return {make_constant(), LoadCurve({{duration, rate, rate}})};
}

std::uint64_t count(Schedule schedule) {
  std::uint64_t n = 0;
  while (schedule.due(n) != kNever) ++n;
  return n;
}

TEST(Constant, IsAPureFunctionOfTheNumber) {
  Schedule schedule = constant(200, 10s);
  EXPECT_EQ(schedule.due(0), 0ns);
  EXPECT_EQ(schedule.due(1), 5ms);
  EXPECT_EQ(schedule.due(200), 1s);
  EXPECT_EQ(schedule.due(1), 5ms);
}

TEST(Constant, DoesNotDriftOverADay) { EXPECT_EQ(constant(3, 48h).due(3 * 86'400), 24h); }

TEST(Constant, EndsWithTheCurve) {
  EXPECT_EQ(count(constant(200, 30s)), 6000u);
  EXPECT_EQ(count(constant(200, 5ms)), 1u);  // the second is due at 5 ms, not before
  EXPECT_EQ(count(constant(0.5, 10s)), 5u);
  EXPECT_EQ(count(constant(200, 0s)), 0u);
}

TEST(Burst, ComesTogetherAtTheSameMeanRate) {
  Schedule schedule(make_burst(50), LoadCurve({{10s, 100, 100}}));
  EXPECT_EQ(schedule.due(0), 0ns);
  EXPECT_EQ(schedule.due(49), 0ns);
  EXPECT_EQ(schedule.due(50), 500ms);
  EXPECT_EQ(schedule.due(99), 500ms);
  EXPECT_EQ(count({make_burst(50), LoadCurve({{10s, 100, 100}})}), 1000u);
}

TEST(Poisson, IsRepeatableAndDependsOnTheSeed) {
  const auto one = make_poisson(7), again = make_poisson(7), other = make_poisson(8);
  const long double late = one->position(1000);
  for (std::uint64_t n = 0; n < 1000; ++n) (void)again->position(n);
  EXPECT_EQ(again->position(1000), late);
  EXPECT_NE(other->position(1000), late);
  EXPECT_EQ(one->position(3), again->position(3));  // backwards
}

TEST(Poisson, HasExponentialGaps) {
  constexpr int kGaps = 100'000;
  const auto arrivals = make_poisson(1);
  long double last = 0, square = 0;
  int above_one = 0;
  for (std::uint64_t n = 1; n <= kGaps; ++n) {
    const long double gap = arrivals->position(n) - last;
    last = arrivals->position(n);
    square += gap * gap;
    above_one += gap > 1 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(last) / kGaps, 1, 0.02);    // mean 1
  EXPECT_NEAR(static_cast<double>(square) / kGaps, 2, 0.06);  // second moment 2
  EXPECT_NEAR(above_one / double{kGaps}, std::exp(-1.0), 0.01);
}

TEST(LoadCurve, StagesFollowEachOther) {
  const LoadCurve curve({{10s, 100, 100}, {5s, 0, 0}, {10s, 300, 300}});
  EXPECT_EQ(curve.total(), 4000);
  EXPECT_EQ(curve.end(), 25s);
  EXPECT_EQ(curve.time_of(999), 9990ms);
  EXPECT_EQ(curve.time_of(1300), 16s);  // nothing is due in the pause
  EXPECT_EQ(curve.time_of(4000), kNever);
}

TEST(LoadCurve, ARampIsTheAreaUnderALine) {
  const LoadCurve up({{10s, 0, 200}});
  EXPECT_EQ(up.total(), 1000);
  EXPECT_EQ(up.time_of(250), 5s);  // a quarter of the area lies in the first half
  const LoadCurve down({{10s, 200, 0}});
  EXPECT_EQ(down.time_of(750), 5s);
}

}  // namespace
}  // namespace roomcheck::loadgen
