#include "reports/compare/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace roomcheck::reports {
namespace {

using Values = std::vector<double>;

TEST(Median, IsTheMiddleOrBetweenTheTwoMiddleOnes) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(median({7}), 7);
}

// By hand: of the C(6,3) = 20 ways to choose the ranks of a, one has the sum 1+2+3, and one the sum 4+5+6.
TEST(MannWhitney, ThreeAgainstThreeApartIsATenth) {
  const RankTest test = mann_whitney({1, 2, 3}, {4, 5, 6});
  EXPECT_EQ(test.u, 0);
  EXPECT_TRUE(test.exact);
  EXPECT_NEAR(test.p, 2.0 / 20, 1e-12);
  EXPECT_NEAR(mann_whitney({4, 5, 6}, {1, 2, 3}).p, 2.0 / 20, 1e-12);
  EXPECT_EQ(mann_whitney({4, 5, 6}, {1, 2, 3}).u, 9);
}

// By hand: C(10,5) = 252. benchstat's well-known "p=0.008 n=5+5".
TEST(MannWhitney, FiveAgainstFiveApart) {
  EXPECT_NEAR(mann_whitney({1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}).p, 2.0 / 252, 1e-12);
}

// By hand: a has the ranks 1, 2, 4 with the sum 7. Sums of three of 1..6 up to 7: {1,2,3} {1,2,4}: 2 of 20.
TEST(MannWhitney, OneOverlap) { EXPECT_NEAR(mann_whitney({1, 2, 4}, {3, 5, 6}).p, 2 * 2.0 / 20, 1e-12); }

// R's own example, ?wilcox.test, after Hollander & Wolfe (1973), page 69: permeability of the chorioamnion.
// wilcox.test(x, y, alternative = "g") gives W = 35, p-value = 0.1272; two-sided twice that.
TEST(MannWhitney, GivesRsAnswerForItsOwnExample) {
  const Values x{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
  const Values y{1.15, 0.88, 0.90, 0.74, 1.21};
  const RankTest test = mann_whitney(x, y);
  EXPECT_EQ(test.u, 35);
  EXPECT_TRUE(test.exact);
  EXPECT_NEAR(test.p, 2 * 0.1272, 1e-4);
}

// By hand: {1, 2} against {2, 3}: ranks 1, 2.5 | 2.5, 4. Of the six choices of two ranks the sums are 3.5 3.5
// 5 5 6.5 6.5; ours is 3.5, so below = 2/6, and p = 2 * 2/6.
TEST(MannWhitney, TiesOfSmallSamplesAreCountedExactly) {
  const RankTest test = mann_whitney({1, 2}, {2, 3});
  EXPECT_EQ(test.u, 0.5);
  EXPECT_TRUE(test.exact);
  EXPECT_NEAR(test.p, 4.0 / 6, 1e-12);
}

// By hand, 50 against 50, no tie, a wholly below b: U = 0, mean 1250, variance 50*50*101/12 = 21041.67,
// z = (1250 - 0.5) / 145.057 = 8.6138, p = erfc(z / sqrt 2) = 7.0e-18.
TEST(MannWhitney, LargeSamplesAreApproximated) {
  Values a(50), b(50);
  std::iota(a.begin(), a.end(), 0);
  std::iota(b.begin(), b.end(), 50);
  const RankTest test = mann_whitney(a, b);
  EXPECT_FALSE(test.exact);
  EXPECT_NEAR(test.p, std::erfc(1249.5 / std::sqrt(50 * 50 * 101 / 12.0) / std::sqrt(2.0)), 1e-24);
  EXPECT_LT(test.p, 1e-16);
}

// The approximation meets the exact count where one takes over from the other: 49 and 49 against 50 and 50,
// shifted by a tenth of their range.
TEST(MannWhitney, TheApproximationContinuesTheExactCount) {
  const auto p_of = [](std::size_t n) {
    Values a, b;
    for (std::size_t i = 0; i < n; ++i) {
      a.push_back(static_cast<double>(i));
      b.push_back(static_cast<double>(i) + 4.5);
    }
    return mann_whitney(a, b);
  };
  EXPECT_TRUE(p_of(49).exact);
  EXPECT_FALSE(p_of(50).exact);
  EXPECT_NEAR(p_of(49).p / p_of(50).p, 1, 0.1);
}

TEST(MannWhitney, NothingAndTheSameTellNothing) {
  EXPECT_EQ(mann_whitney({}, {1, 2}).p, 1);
  EXPECT_EQ(mann_whitney({5, 5, 5}, {5, 5, 5}).p, 1);
  EXPECT_EQ(mann_whitney(Values(60, 5), Values(60, 5)).p, 1);
  EXPECT_EQ(mann_whitney({1}, {2}).p, 1);
}

TEST(MannWhitney, SaysWhichIsGreater) {
  EXPECT_NEAR(mann_whitney({4, 5, 6}, {1, 2, 3}).p_greater, 1.0 / 20, 1e-12);
  EXPECT_NEAR(mann_whitney({4, 5, 6}, {1, 2, 3}).p_less, 1, 1e-12);
  EXPECT_NEAR(mann_whitney({1, 2, 3}, {4, 5, 6}).p_less, 1.0 / 20, 1e-12);
}

// R's own example of pairs, ?wilcox.test, after Hollander & Wolfe (1973), page 29: depression before and
// after a tranquiliser. wilcox.test(x, y, paired = TRUE, alternative = "greater") gives V = 40, p-value =
// 0.01953; the book's estimate is 0.46, its interval 0.010 to 0.786.
const Values kBefore{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
const Values kAfter{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};

Values depression() {
  Values out;
  for (std::size_t i = 0; i < kBefore.size(); ++i) out.push_back(kBefore[i] - kAfter[i]);
  return out;
}

TEST(SignedRank, GivesRsAnswerForItsOwnExample) {
  const RankTest test = signed_rank(depression());
  EXPECT_EQ(test.u, 40);
  EXPECT_TRUE(test.exact);
  EXPECT_NEAR(test.p_greater, 0.01953, 1e-5);
  EXPECT_NEAR(test.p, 2 * test.p_greater, 1e-12);
  const Shift shift = hodges_lehmann(depression(), .95);
  EXPECT_NEAR(shift.middle, 0.46, 1e-9);
  EXPECT_NEAR(shift.interval.low, 0.010, 1e-9);
  EXPECT_NEAR(shift.interval.high, 0.786, 1e-9);
}

// By hand: 1, 2, 2, -4 have the ranks 1, 2.5, 2.5, 4: positive ones sum to 6. Of the 16 choices of signs,
// sums of at least 6 have the negative ranks {} {1} {2.5} {2.5} {4} {1, 2.5} {1, 2.5}: 7, two-sided 14 / 16.
TEST(SignedRank, CountsTiesExactlyAndLeavesOutNothingAtAll) {
  const RankTest test = signed_rank({1, 2, 2, -4, 0});
  EXPECT_EQ(test.u, 6);
  EXPECT_NEAR(test.p_greater, 7.0 / 16, 1e-12);
  EXPECT_NEAR(test.p, 14.0 / 16, 1e-12);
  EXPECT_EQ(signed_rank({0, 0}).p, 1);
  EXPECT_EQ(signed_rank({}).p, 1);
}

// 49 are counted, 50 approximated, and both are as the normal theory says: (u - n(n+1)/4 - .5) /
// sqrt(n(n+1)(2n+1)/24).
TEST(SignedRank, TheApproximationContinuesTheExactCount) {
  for (const std::size_t n : {49u, 50u}) {
    Values values;
    for (std::size_t i = 1; i <= n; ++i) values.push_back(static_cast<double>(i) * (i % 3 == 0 ? -1 : 1));
    const RankTest test = signed_rank(values);
    EXPECT_EQ(test.exact, n < 50);
    const auto d = static_cast<double>(n);
    const double z = (test.u - d * (d + 1) / 4 - .5) / std::sqrt(d * (d + 1) * (2 * d + 1) / 24);
    EXPECT_NEAR(test.p / std::erfc(z / std::sqrt(2.0)), 1, n < 50 ? .02 : 1e-12);
  }
}

// The interval is the test turned round: what lies outside it the test refuses, what lies inside it does not.
TEST(HodgesLehmann, TheIntervalHoldsWhatTheTestWouldNotRefuse) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  for (const std::size_t n : {6u, 8u, 20u, 60u}) {
    Values values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(normal(random));
    const Interval interval = hodges_lehmann(values, .95).interval;
    const auto p_at = [&](double middle) {
      Values moved;
      for (const double v : values) moved.push_back(v - middle);
      return signed_rank(moved).p;
    };
    const double step = 1e-6;
    EXPECT_LT(p_at(interval.low - step), .05) << n;
    EXPECT_GE(p_at(interval.low + step), .05 - .002) << n;
    EXPECT_LT(p_at(interval.high + step), .05) << n;
    EXPECT_GE(p_at(interval.high - step), .05 - .002) << n;
  }
  const Interval few = hodges_lehmann({1, 2, 3}, .95).interval;
  EXPECT_EQ(few.low, 1);
  EXPECT_EQ(few.high, 3);
}

TEST(SmallestP, IsWhatTheTestCanReach) {
  EXPECT_NEAR(smallest_p_of_pairs(6), 2.0 / 64, 1e-12);
  EXPECT_EQ(smallest_p_of_pairs(1), 1);
  EXPECT_EQ(smallest_p_of_pairs(0), 1);
  EXPECT_NEAR(smallest_p(3, 3), 0.1, 1e-12);
  EXPECT_NEAR(smallest_p(4, 4), 2.0 / 70, 1e-12);
  EXPECT_EQ(smallest_p(0, 9), 1);
  EXPECT_EQ(smallest_p(1, 1), 1);
}

// Holm (1979) by hand: sorted .01 .02 .03 .04 times 4 3 2 1 = .04 .06 .06 .04, made monotone: .04 .06 .06
// .06. R: p.adjust(c(.04, .01, .03, .02), "holm") = .06 .04 .06 .06.
TEST(Holm, GivesRsAnswer) {
  const Values out = holm({.04, .01, .03, .02});
  EXPECT_NEAR(out[0], .06, 1e-12);
  EXPECT_NEAR(out[1], .04, 1e-12);
  EXPECT_NEAR(out[2], .06, 1e-12);
  EXPECT_NEAR(out[3], .06, 1e-12);
  EXPECT_EQ(holm({.9, .8})[1], 1);
}

TEST(Bootstrap, IsRepeatableAndHoldsTheRatio) {
  const Values a{10, 11, 9, 10.5, 10.2}, b{20, 22, 18, 21, 20.4};
  const Interval one = bootstrap_ratio(a, b, .95, 1), again = bootstrap_ratio(a, b, .95, 1);
  EXPECT_EQ(one.low, again.low);
  EXPECT_EQ(one.high, again.high);
  EXPECT_LT(one.low, 2);
  EXPECT_GT(one.high, 2);
  EXPECT_GE(one.low, 18 / 11.0);  // no draw can lie outside smallest over largest
  EXPECT_LE(one.high, 22 / 9.0);
  const Interval still = bootstrap_ratio({5, 5, 5}, {6, 6, 6}, .95, 1);
  EXPECT_DOUBLE_EQ(still.low, 1.2);
  EXPECT_DOUBLE_EQ(still.high, 1.2);
}

// By hand: logs +-0.1 around their mean, n = 2 each: variance 0.02. z(.025) + z(.2) = 1.95996 + 0.84162,
// squared 7.8489. 2 * 7.8489 * 0.02 / ln(1.1)^2 = 34.56, times pi/3 = 36.19: 37 runs.
TEST(NeededRuns, FollowsTheFormula) {
  const Values a{std::exp(-.1), std::exp(.1)};
  EXPECT_EQ(needed_runs(a, a, 1.1, .05), 37u);
  EXPECT_EQ(needed_runs(a, a, 1, .05), kMostRuns);
}

// Runs that do not scatter still need four a side, for 2 / C(6,3) is a tenth; at a level of 1 % it is five.
TEST(NeededRuns, IsNeverLessThanTheRankTestNeeds) {
  EXPECT_EQ(needed_runs({1, 1}, {1, 1}, 1.05, .05), 4u);
  EXPECT_EQ(needed_runs({1, 1}, {1, 1}, 1.05, .01), 5u);
}

// By hand, as above with one variance instead of two: 7.8489 * 0.02 / ln(1.1)^2 * pi/3 = 18.1: 19 pairs.
TEST(NeededPairs, FollowsTheFormulaAndIsNeverLessThanTheTestNeeds) {
  EXPECT_EQ(needed_pairs({-.1, .1}, 1.1, .05), 19u);
  EXPECT_EQ(needed_pairs({.1, .1, .1}, 1.1, .05), 6u);
  EXPECT_EQ(needed_pairs({.1, .1, .1}, 1.1, .01), 8u);
}

// The whole judgement on runs that differ in nothing: log-normal, 10 a side, five metrics that share the
// run's luck. "Different" may be said of any of them in at most 5 % of the comparisons.
TEST(Simulation, TheErrorRateOfAllMetricsTogetherIsKept) {
  std::mt19937_64 random(20261124);
  std::normal_distribution<double> normal;
  constexpr int kTrials = 2000;
  int wrong = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<Values> a(5), b(5);
    for (auto* side : {&a, &b})
      for (int run = 0; run < 10; ++run) {
        const double luck = normal(random);
        for (Values& metric : *side) metric.push_back(std::exp(.05 * luck + .05 * normal(random)));
      }
    Values p;
    for (std::size_t i = 0; i < 5; ++i) p.push_back(mann_whitney(a[i], b[i]).p);
    for (const double adjusted : holm(p))
      if (adjusted < .05) {
        ++wrong;
        break;
      }
  }
  EXPECT_LE(wrong, kTrials * .05);
  EXPECT_GT(wrong, kTrials * .01) << "so careful that it would see nothing";
}

// The promise of needed_runs: with that many, the difference is seen in about 80 % of the comparisons.
TEST(Simulation, TheNeededRunsHaveThePowerThatTheyPromise) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  const auto draw = [&](std::size_t n, double middle) {
    Values out;
    for (std::size_t i = 0; i < n; ++i) out.push_back(middle * std::exp(.08 * normal(random)));
    return out;
  };
  const std::size_t n = needed_runs(draw(200, 1), draw(200, 1), 1.1, .05);
  int seen = 0;
  for (int trial = 0; trial < 1000; ++trial) seen += mann_whitney(draw(n, 1), draw(n, 1.1)).p < .05 ? 1 : 0;
  EXPECT_GT(seen, 740) << n;
  EXPECT_LT(seen, 880) << n;
}

}  // namespace
}  // namespace roomcheck::reports
