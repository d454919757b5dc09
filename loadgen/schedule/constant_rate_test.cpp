#include "loadgen/schedule/constant_rate.h"

#include <gtest/gtest.h>

namespace roomcheck::loadgen {
namespace {

using namespace std::chrono_literals;

TEST(ConstantRate, IsAPureFunctionOfTheNumber) {
  const ConstantRate rate(200);
  EXPECT_EQ(rate.due(0), 0ns);
  EXPECT_EQ(rate.due(1), 5ms);
  EXPECT_EQ(rate.due(200), 1s);
  EXPECT_EQ(rate.due(1), 5ms);
}

TEST(ConstantRate, DoesNotDriftOverADay) { EXPECT_EQ(ConstantRate(3).due(3 * 86'400), 24h); }

TEST(ConstantRate, CountsWhatIsDueBeforeAnEnd) {
  EXPECT_EQ(ConstantRate(200).count_before(30s), 6000u);
  EXPECT_EQ(ConstantRate(200).count_before(5ms), 1u);  // the second is due at 5 ms, not before
  EXPECT_EQ(ConstantRate(200).count_before(5ms + 1ns), 2u);
  EXPECT_EQ(ConstantRate(200).count_before(0ns), 0u);
  EXPECT_EQ(ConstantRate(0.5).count_before(10s), 5u);
  for (const double per_second : {0.3, 7.0, 33.3, 1e6}) {
    const ConstantRate rate(per_second);
    const std::uint64_t n = rate.count_before(7s);
    EXPECT_GE(rate.due(n), 7s) << per_second;
    EXPECT_LT(rate.due(n - 1), 7s) << per_second;
  }
}

}  // namespace
}  // namespace roomcheck::loadgen
