#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace roomcheck::loadgen {

// What became of one load, kept for a while.
struct Step {
  enum class Verdict {
    met,
    missed,    // the target did not meet the service level
    generator  // our own share could explain the numbers: nothing is known about the target
  };
  double load = 0;
  std::chrono::nanoseconds duration{0};
  Verdict verdict = Verdict::met;
  std::string why;        // one sentence when not met
  double deliveries = 0;  // per second
};

// How to search.
struct Search {
  double from = 1;
  double to = 0;  // 0: no limit
  std::chrono::nanoseconds step = std::chrono::seconds(5);
  double precision = 0.02;
  bool whole = false;  // clients come whole
};

struct Capacity {
  double load = 0;        // the greatest that was met, confirmed; 0: none was
  double deliveries = 0;  // per second, at that load
  Step first_to_fail;     // the lowest load that was not met; load 0: none was tried that failed
  std::vector<Step> steps;
};

// Doubles the load from `from` on until it is not met, then halves the interval between the last met and the
// first not met until they are within `precision`; a load that is not met is tried a second time before that
// is believed. The answer is confirmed with twice the duration; where that fails, the next lower one is.
//
// `measure` keeps a load for a while; it may throw, and ends the search so. Bounded: 60 steps.
Capacity search_capacity(const Search& search,
                         const std::function<Step(double load, std::chrono::nanoseconds duration)>& measure);

}  // namespace roomcheck::loadgen
