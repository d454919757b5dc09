#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

// Telling a difference between two sets of repeated runs. Pure functions; the same input gives the same
// output on every machine.
namespace roomcheck::reports {

// The middle value, or the mean of the two middle ones. REQUIRES: not empty.
double median(std::vector<double> values);

struct RankTest {
  double u = 0;          // pairs (a, b) with a > b, ties count a half; signed_rank: the sum of positive ranks
  double p = 1;          // two-sided: twice the smaller of the next two
  double p_greater = 1;  // one-sided, "the first sample is greater": how likely so great a u is by chance
  double p_less = 1;
  bool exact = false;  // false: normal approximation with tie and continuity correction
};
// The Mann-Whitney U test (Wilcoxon rank sum), two-sided: do the two samples come from one distribution? It
// asks nothing of the distribution's form, and one wild run cannot decide it.
//
// Exact without ties when both have fewer than 50 values, as R's wilcox.test; beyond, and with ties, the
// normal approximation with continuity correction, also as R - except that small samples (up to
// kExactWithTies arrangements) with ties are exact too, by counting every arrangement (R's coin package,
// wilcox_test(distribution = "exact")). With an empty sample p = 1.
RankTest mann_whitney(const std::vector<double>& a, const std::vector<double>& b);
constexpr std::uint64_t kExactWithTies = 200'000;

// The Wilcoxon signed-rank test: do these differences of pairs lie around 0? For runs in pairs, whose luck is
// common to both of a pair: it asks that the differences scatter evenly around their middle, no more.
//
// Exact with fewer than 50 differences, ties included (R: without); beyond, the normal approximation with
// continuity correction, as R. Differences of 0 are left out, also as R; without any other p = 1.
RankTest signed_rank(const std::vector<double>& differences);

// The smallest two-sided p that the tests can give: 2 / (n + m over n) for n and m values, 2 / 2^n for n
// pairs. What cannot fall below the significance level can tell nothing, however different the samples are.
double smallest_p(std::size_t n, std::size_t m);
double smallest_p_of_pairs(std::size_t n);

struct Interval {
  double low = 0, high = 0;
};
// The percentile bootstrap of median(b) / median(a): both sides are drawn anew with replacement `kResamples`
// times from a generator seeded with `seed`. REQUIRES: neither is empty, every value > 0.
Interval bootstrap_ratio(const std::vector<double>& a, const std::vector<double>& b, double confidence,
                         std::uint64_t seed);
constexpr std::size_t kResamples = 4000;

// Where the middle of the differences lies, by the signed-rank test: `middle` is the Hodges-Lehmann estimate
// (the median of the means of all two of them, each with itself too), the interval those values that the test
// would not refuse. Of fewer pairs than the test needs for `confidence` it is all they span. REQUIRES: not
// empty.
struct Shift {
  double middle = 0;
  Interval interval;
};
Shift hodges_lehmann(const std::vector<double>& differences, double confidence);

// Holm's step-down correction: p values made larger so that the chance of even one false "different" among
// all of them stays below the level, however they depend on each other. Same order as the input.
std::vector<double> holm(const std::vector<double>& p);

// How many runs a side it takes to see `ratio` (1.05 for 5 %) at this level with 80 % power, when the values
// scatter as in a and b. From the normal theory of the logarithms, divided by the rank test's efficiency
// (3/pi), and never fewer than the rank test needs to reach `level` at all. Capped at kMostRuns.
std::size_t needed_runs(const std::vector<double>& a, const std::vector<double>& b, double ratio,
                        double level);
// The same of pairs, from the logarithms of their ratios.
std::size_t needed_pairs(const std::vector<double>& log_ratios, double ratio, double level);
constexpr std::size_t kMostRuns = 1000;

}  // namespace roomcheck::reports
