#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "reports/compare/statistics.h"
#include "reports/model/load_result.h"

namespace roomcheck::reports {

struct LoadRun {
  std::string source;  // the file
  LoadResult result;
};

struct CompareOptions {
  std::vector<std::string>
      metrics;  // paths as in a threshold; empty: those that matter, see load_comparison.cpp
  double max_regression = 0.05;
  std::map<std::string, double> max_regression_of;  // by metric, as written in --max-regression METRIC=5%
  double level = 0.05;     // the chance that any metric of equal sides is said to differ
  std::uint64_t seed = 1;  // of the bootstrap
  // The i-th runs of both sides were made under the same conditions (in turns, or at the same time): what is
  // judged is their ratio, pair by pair, so that what the machine did to both does not count.
  bool paired = false;
  bool strict = false;  // conformance: a SHOULD counts
};

enum class Difference { none, better, worse };
std::string_view to_string(Difference difference);  // "no difference can be told", "better", "worse"

// One number of the results, run by run.
struct MetricComparison {
  std::string path;  // in full: latency.fan_out.corrected.p50_ns
  std::string name;  // as a person writes it: fan_out.p50
  bool is_time = false;
  bool more_is_better = false;  // deliveries, say; of times less is
  // What the target's process used is as true in a run whose schedule was not kept: it is taken from those
  // runs, too. Everything else comes from believable runs only.
  bool of_all_runs = false;
  std::vector<double> base, fresh;  // paired: as many on both sides, in the order of the pairs
  double base_median = 0, new_median = 0;
  bool has_ratio =
      false;          // false when a value is 0 or less: ratio, interval and needed_runs then say nothing
  double ratio = 1;   // new_median / base_median; paired: the middle of the ratios of the pairs
  Interval interval;  // of the ratio, 95 %
  double p = 1;       // of the rank test, made larger for the number of metrics (Holm)
  // Likewise of the question whether NEW is worse by more than max_regression.
  double p_regression = 1;
  Difference difference = Difference::none;
  double max_regression = 0;
  bool regression = false;  // proved to be worse by more than max_regression
  std::size_t needed_runs =
      0;  // a side, to tell a difference as large as max_regression (5 % when that is 0)
};

// A kind of fault of the ledger. What BASE never did and NEW does is a regression at first sight, as in
// conformance; where both do it, the rank test decides about the rates.
struct FaultComparison {
  std::string name;
  std::uint64_t base = 0, fresh = 0;  // of all believable runs of the side
  double p = 1;
  bool regression = false;
};

struct LoadComparison {
  std::vector<LoadRun> base, fresh;    // those that came to their end
  std::vector<std::string> set_aside;  // those that are not to be believed: "c.json (1.1 % of the sends ...)"
  std::vector<MetricComparison> metrics;
  std::vector<FaultComparison> faults;
  double level = 0;
  bool paired = false;
  std::size_t least_runs = 0;  // a side, below which the test cannot tell anything at this level

  // False when a metric has too few believable runs for any difference to be told: nothing was proved of it.
  bool can_tell() const;
  bool can_tell(const MetricComparison& metric) const;
  bool regression() const;
  // Whether run i of `side` (base or fresh) is among the values of the metric.
  bool uses(const MetricComparison& metric, const std::vector<LoadRun>& side, std::size_t i) const;
};

// Whether a run counts for what only believable runs say.
bool is_believable(const LoadRun& run);

// A regression is what is proved to be one: the rank test refuses, at half the level on that side, that NEW
// is no worse than the limit allows. So sides that are equal pass even where the machine is noisy, and what
// is worse by about the limit may pass: to hear of everything that can be told, allow 0 %.
//
// REQUIRES: both sides have a run. Throws BadInput, one sentence: runs of different scenarios, an unknown
// metric, pairs that are none.
LoadComparison compare(std::vector<LoadRun> base, std::vector<LoadRun> fresh, const CompareOptions& options);

}  // namespace roomcheck::reports
