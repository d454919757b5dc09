#include "reports/compare/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace roomcheck::reports {
namespace {

constexpr double kPower = 0.8;
constexpr std::size_t kExactBelow = 50;

double upper_tail(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }

// The z with upper_tail(z) = p, for 0 < p < 0.5: bisection, for it is asked twice a comparison.
double upper_quantile(double p) {
  double low = 0, high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (upper_tail(middle) > p ? low : high) = middle;
  }
  return low;
}

// Ranks of all values together, ties share their mean rank; a's come first. All are multiples of a half.
std::vector<double> mid_ranks(const std::vector<double>& a, const std::vector<double>& b, double& tie_term) {
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t k) { return all[i] < all[k]; });
  std::vector<double> ranks(all.size());
  tie_term = 0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && all[order[end]] == all[order[i]]) ++end;
    for (std::size_t k = i; k < end; ++k) ranks[order[k]] = static_cast<double>(i + 1 + end) / 2;
    const auto t = static_cast<double>(end - i);
    tie_term += t * t * t - t;
    i = end;
  }
  return ranks;
}

// ways[s]: how many of the choices of n out of these ranks have the sum s, in half ranks. Exact in a double
// up to 2^53, and beyond that to 16 digits, which a p value does not notice.
std::vector<double> rank_sum_ways(const std::vector<double>& ranks, std::size_t n) {
  std::size_t total = 0;
  std::vector<std::size_t> doubled;
  for (const double rank : ranks) {
    doubled.push_back(static_cast<std::size_t>(std::llround(2 * rank)));
    total += doubled.back();
  }
  std::vector<std::vector<double>> ways(n + 1, std::vector<double>(total + 1, 0));  // [chosen][sum]
  ways[0][0] = 1;
  for (const std::size_t rank : doubled)
    for (std::size_t chosen = n; chosen > 0; --chosen)
      for (std::size_t sum = total; sum >= rank; --sum) ways[chosen][sum] += ways[chosen - 1][sum - rank];
  return ways[n];
}

// ways[s]: how many of the choices of any number out of these ranks have the sum s, in half ranks.
std::vector<double> sign_ways(const std::vector<double>& ranks) {
  std::vector<double> ways{1};
  for (const double rank : ranks) {
    const auto doubled = static_cast<std::size_t>(std::llround(2 * rank));
    ways.resize(ways.size() + doubled, 0);
    for (std::size_t sum = ways.size(); sum-- > doubled;) ways[sum] += ways[sum - doubled];
  }
  return ways;
}

void take_exact(RankTest& test, const std::vector<double>& ways, double rank_sum) {
  const double all = std::accumulate(ways.begin(), ways.end(), 0.0);
  const auto at = static_cast<std::ptrdiff_t>(std::llround(2 * rank_sum));
  test.exact = true;
  test.p_less = std::accumulate(ways.begin(), ways.begin() + at + 1, 0.0) / all;
  test.p_greater = std::accumulate(ways.begin() + at, ways.end(), 0.0) / all;
  test.p = std::min(1.0, 2 * std::min(test.p_less, test.p_greater));
}

void take_normal(RankTest& test, double mean, double variance) {
  if (variance <= 0) return;  // all values are the same
  const double off = test.u - mean, spread = std::sqrt(variance);
  test.p_greater = upper_tail((off - 0.5) / spread);
  test.p_less = upper_tail((-off - 0.5) / spread);
  test.p = std::min(1.0, 2 * std::min(test.p_less, test.p_greater));
}

double choose(std::size_t n, std::size_t k) {
  double out = 1;
  for (std::size_t i = 1; i <= k; ++i) out *= static_cast<double>(n - k + i) / static_cast<double>(i);
  return out;
}

// splitmix64: small, and the same everywhere (std's distributions are not).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t n) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<std::size_t>((z ^ (z >> 31)) % n);  // n is a few dozen of 2^64: no bias to speak of
  }

 private:
  std::uint64_t state_;
};

double drawn_median(const std::vector<double>& values, Random& random) {
  std::vector<double> draw;
  draw.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) draw.push_back(values[random.below(values.size())]);
  return median(std::move(draw));
}

double variance(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return sum / (n - 1);
}

double logs_variance(std::vector<double> values) {
  for (double& v : values) v = std::log(v);
  return variance(values);
}

// Values that scatter by `variance` around the difference that is to be seen.
std::size_t needed(double variance, double ratio, double level) {
  constexpr double kEfficiency = 3 / 3.14159265358979;
  const double effect = std::abs(std::log(ratio));
  if (effect == 0) return kMostRuns;
  const double z = upper_quantile(level / 2) + upper_quantile(1 - kPower);
  const double n = std::ceil(z * z * variance / (effect * effect) / kEfficiency);
  return n < static_cast<double>(kMostRuns) ? static_cast<std::size_t>(n) : kMostRuns;
}

}  // namespace

double median(std::vector<double> values) {
  assert(!values.empty());
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

RankTest mann_whitney(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) return {};
  double tie_term = 0;
  const std::vector<double> ranks = mid_ranks(a, b, tie_term);
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  const double rank_sum =
      std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(a.size()), 0.0);
  RankTest out;
  out.u = rank_sum - n * (n + 1) / 2;
  out.exact = tie_term == 0 ? a.size() < kExactBelow && b.size() < kExactBelow
                            : choose(a.size() + b.size(), a.size()) <= static_cast<double>(kExactWithTies);
  if (out.exact)
    take_exact(out, rank_sum_ways(ranks, a.size()), rank_sum);
  else
    take_normal(out, n * m / 2, n * m / 12 * (n + m + 1 - tie_term / ((n + m) * (n + m - 1))));
  return out;
}

RankTest signed_rank(const std::vector<double>& differences) {
  std::vector<double> sizes;
  std::vector<bool> positive;
  for (const double d : differences) {
    if (d == 0) continue;
    sizes.push_back(std::abs(d));
    positive.push_back(d > 0);
  }
  RankTest out;
  if (sizes.empty()) return out;
  double tie_term = 0;
  const std::vector<double> ranks = mid_ranks(sizes, {}, tie_term);
  for (std::size_t i = 0; i < ranks.size(); ++i) out.u += positive[i] ? ranks[i] : 0;
  const auto n = static_cast<double>(ranks.size());
  if (ranks.size() < kExactBelow)
    take_exact(out, sign_ways(ranks), out.u);
  else
    take_normal(out, n * (n + 1) / 4, n * (n + 1) * (2 * n + 1) / 24 - tie_term / 48);
  return out;
}

double smallest_p(std::size_t n, std::size_t m) {
  return n == 0 || m == 0 ? 1 : std::min(1.0, 2 / choose(n + m, n));
}

double smallest_p_of_pairs(std::size_t n) { return n == 0 ? 1 : std::pow(2.0, 1 - static_cast<double>(n)); }

Shift hodges_lehmann(const std::vector<double>& differences, double confidence) {
  std::vector<double> means;
  for (std::size_t i = 0; i < differences.size(); ++i)
    for (std::size_t k = i; k < differences.size(); ++k)
      means.push_back((differences[i] + differences[k]) / 2);
  std::sort(means.begin(), means.end());
  // The sum of positive ranks is the number of means above 0, so `cut` means may lie outside on each side
  // when a sum of so few is rarer than half of what the confidence leaves.
  const auto n = static_cast<double>(differences.size());
  const double outside = (1 - confidence) / 2;
  std::size_t cut = 0;
  if (differences.size() < kExactBelow) {
    std::vector<double> ranks(differences.size());
    std::iota(ranks.begin(), ranks.end(), 1.0);
    const std::vector<double> ways = sign_ways(ranks);
    double below = ways[0];
    while (below < outside * std::pow(2.0, n)) below += ways[2 * ++cut];
  } else {
    const double spread = std::sqrt(n * (n + 1) * (2 * n + 1) / 24);
    cut = static_cast<std::size_t>(n * (n + 1) / 4 - upper_quantile(outside) * spread);
  }
  cut = cut > 0 ? cut - 1 : 0;
  return {median(means), {means[cut], means[means.size() - 1 - cut]}};
}

Interval bootstrap_ratio(const std::vector<double>& a, const std::vector<double>& b, double confidence,
                         std::uint64_t seed) {
  Random random(seed);
  std::vector<double> ratios;
  ratios.reserve(kResamples);
  for (std::size_t i = 0; i < kResamples; ++i) {
    const double base = drawn_median(a, random);
    ratios.push_back(drawn_median(b, random) / base);
  }
  std::sort(ratios.begin(), ratios.end());
  const auto at = [&](double q) {
    return ratios[std::min(kResamples - 1, static_cast<std::size_t>(q * static_cast<double>(kResamples)))];
  };
  return {at((1 - confidence) / 2), at((1 + confidence) / 2)};
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t k) { return p[i] < p[k]; });
  std::vector<double> out(p.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(p.size() - i) * p[order[i]]));
    out[order[i]] = largest;
  }
  return out;
}

std::size_t needed_runs(const std::vector<double>& a, const std::vector<double>& b, double ratio,
                        double level) {
  std::size_t runs = needed(logs_variance(a) + logs_variance(b), ratio, level);
  while (runs < kMostRuns && smallest_p(runs, runs) >= level) ++runs;
  return runs;
}

std::size_t needed_pairs(const std::vector<double>& log_ratios, double ratio, double level) {
  std::size_t runs = needed(variance(log_ratios), ratio, level);
  while (runs < kMostRuns && smallest_p_of_pairs(runs) >= level) ++runs;
  return runs;
}

}  // namespace roomcheck::reports
