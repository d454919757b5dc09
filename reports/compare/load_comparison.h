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
  bool strict = false;     // conformance: a SHOULD counts
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
  std::vector<double> base, fresh;
  double base_median = 0, new_median = 0;
  bool has_ratio =
      false;          // false when a value is 0 or less: ratio, interval and needed_runs then say nothing
  double ratio = 1;   // new_median / base_median
  Interval interval;  // of the ratio, 95 %
  double p = 1;       // of the rank test, made larger for the number of metrics (Holm)
  Difference difference = Difference::none;
  double max_regression = 0;
  bool regression = false;  // worse, and by more than max_regression
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
  std::size_t least_runs = 0;  // a side, below which the test cannot tell anything at this level

  // False when a metric has too few believable runs for any difference to be told: nothing was proved of it.
  bool can_tell() const;
  bool can_tell(const MetricComparison& metric) const;
  bool regression() const;
};

// Whether a run counts for what only believable runs say.
bool is_believable(const LoadRun& run);

// REQUIRES: both sides have a run. Throws BadInput, one sentence: runs of different scenarios, an unknown
// metric.
LoadComparison compare(std::vector<LoadRun> base, std::vector<LoadRun> fresh, const CompareOptions& options);

}  // namespace roomcheck::reports
