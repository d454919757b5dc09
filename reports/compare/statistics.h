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
  double u = 0;        // Mann-Whitney U of the first sample: pairs (a, b) with a > b, ties count a half
  double p = 1;        // two-sided
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

// The smallest p that the test can give for n and m values: 2 / (n + m over n). What cannot fall below the
// significance level can tell nothing, however different the samples are.
double smallest_p(std::size_t n, std::size_t m);

struct Interval {
  double low = 0, high = 0;
};
// The percentile bootstrap of median(b) / median(a): both sides are drawn anew with replacement `kResamples`
// times from a generator seeded with `seed`. REQUIRES: neither is empty, every value > 0.
Interval bootstrap_ratio(const std::vector<double>& a, const std::vector<double>& b, double confidence,
                         std::uint64_t seed);
constexpr std::size_t kResamples = 4000;

// Holm's step-down correction: p values made larger so that the chance of even one false "different" among
// all of them stays below the level, however they depend on each other. Same order as the input.
std::vector<double> holm(const std::vector<double>& p);

// How many runs a side it takes to see `ratio` (1.05 for 5 %) at this level with 80 % power, when the values
// scatter as in a and b. From the normal theory of the logarithms, divided by the rank test's efficiency
// (3/pi), and never fewer than the rank test needs to reach `level` at all. Capped at kMostRuns.
std::size_t needed_runs(const std::vector<double>& a, const std::vector<double>& b, double ratio,
                        double level);
constexpr std::size_t kMostRuns = 1000;

}  // namespace roomcheck::reports
