#include "loadgen/probe.h"

#include <benchmark/benchmark.h>

namespace roomcheck::loadgen {
namespace {

// What a delivery costs before the ledger: the scan of a seed-style answer with a text of 100 octets.
void ScanAnswer(benchmark::State& state) {
  const ProbeFormat format(1, 0, 100);
  const std::string frame = "{\"message\": \"预警信息2：预警信息1：" + format.text({1, 2, 3, 4}) + "\"}";
  Probe probe;
  for (auto _ : state) {
    benchmark::DoNotOptimize(format.find(frame, probe));
    benchmark::DoNotOptimize(probe);
  }
}
BENCHMARK(ScanAnswer);

void WriteProbe(benchmark::State& state) {
  const ProbeFormat format(1, 0, 100);
  std::string to;
  Probe probe;
  for (auto _ : state) {
    ++probe.sequence;
    to.clear();
    format.append(probe, to);
    benchmark::DoNotOptimize(to);
  }
}
BENCHMARK(WriteProbe);

}  // namespace
}  // namespace roomcheck::loadgen
