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

double exact_p(const std::vector<double>& ranks, std::size_t n, double rank_sum) {
  const std::vector<double> ways = rank_sum_ways(ranks, n);
  const double all = std::accumulate(ways.begin(), ways.end(), 0.0);
  const auto at = static_cast<std::size_t>(std::llround(2 * rank_sum));
  const auto middle = ways.begin() + static_cast<std::ptrdiff_t>(at);
  const double below = std::accumulate(ways.begin(), middle + 1, 0.0) / all;
  const double above = std::accumulate(middle, ways.end(), 0.0) / all;
  return std::min(1.0, 2 * std::min(below, above));
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

double log_variance(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  double mean = 0, sum = 0;
  for (const double v : values) mean += std::log(v) / static_cast<double>(values.size());
  for (const double v : values) sum += (std::log(v) - mean) * (std::log(v) - mean);
  return sum / static_cast<double>(values.size() - 1);
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
  if (out.exact) {
    out.p = exact_p(ranks, a.size(), rank_sum);
    return out;
  }
  const double variance = n * m / 12 * (n + m + 1 - tie_term / ((n + m) * (n + m - 1)));
  if (variance <= 0) return out;  // all values are the same
  const double off = std::max(0.0, std::abs(out.u - n * m / 2) - 0.5);
  out.p = std::min(1.0, 2 * upper_tail(off / std::sqrt(variance)));
  return out;
}

double smallest_p(std::size_t n, std::size_t m) {
  return n == 0 || m == 0 ? 1 : std::min(1.0, 2 / choose(n + m, n));
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
  const double effect = std::abs(std::log(ratio));
  const double variance = (log_variance(a) + log_variance(b)) / 2;
  constexpr double kEfficiency = 3 / 3.14159265358979;
  std::size_t runs = kMostRuns;
  if (effect > 0) {
    const double z = upper_quantile(level / 2) + upper_quantile(1 - kPower);
    const double n = std::ceil(2 * z * z * variance / (effect * effect) / kEfficiency);
    runs = n < static_cast<double>(kMostRuns) ? static_cast<std::size_t>(n) : kMostRuns;
  }
  while (runs < kMostRuns && smallest_p(runs, runs) >= level) ++runs;
  return runs;
}

}  // namespace roomcheck::reports
