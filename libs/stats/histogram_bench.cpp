#include "libs/stats/histogram.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

namespace roomcheck::stats {
namespace {

std::vector<Nanoseconds> samples() {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> latency(std::log(3e6), 1.0);
  std::vector<Nanoseconds> out;
  while (out.size() < 4096) out.emplace_back(static_cast<std::int64_t>(latency(random)));
  return out;
}

void Record(benchmark::State& state) {
  const std::vector<Nanoseconds> values = samples();
  Histogram histogram;
  for (auto _ : state)
    for (const Nanoseconds value : values) histogram.record(value);
  benchmark::DoNotOptimize(histogram);
  state.SetItemsProcessed(state.iterations() * 4096);
}
BENCHMARK(Record);

void Merge(benchmark::State& state) {
  Histogram total;
  Histogram second;
  for (const Nanoseconds value : samples()) second.record(value);
  for (auto _ : state) total.merge(second);
  benchmark::DoNotOptimize(total);
}
BENCHMARK(Merge);

void Encode(benchmark::State& state) {
  Histogram histogram;
  for (const Nanoseconds value : samples()) histogram.record(value);
  for (auto _ : state) benchmark::DoNotOptimize(histogram.encode());
}
BENCHMARK(Encode);

}  // namespace
}  // namespace roomcheck::stats
