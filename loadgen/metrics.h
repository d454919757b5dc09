#pragma once
#include <string>
#include <vector>

namespace roomcheck::loadgen {

// A number of a result that a threshold can speak of.
struct Metric {
  std::string path;  // as short as it is understood: "fan_out.p99"
  std::string unit;  // "time", "count", "bytes", "share"
  std::string meaning;
};

// All of them, of every workload.
std::vector<Metric> all_metrics();
// As `loadgen metrics` prints it.
std::string list_metrics();

}  // namespace roomcheck::loadgen
