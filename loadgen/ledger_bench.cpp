#include "loadgen/ledger.h"

#include <benchmark/benchmark.h>

namespace roomcheck::loadgen {
namespace {

// One message to a room of N members: what the accounting of one delivery costs.
void Fanout(benchmark::State& state) {
  const auto members = static_cast<std::uint32_t>(state.range(0));
  Ledger ledger({{0, "a", members}}, 4, 1024);
  ledger.measure_from(Nanoseconds(0));
  for (std::uint32_t m = 0; m < members; ++m) ledger.join(m, Nanoseconds(0));
  Probe probe;
  for (auto _ : state) {
    probe.sequence = ledger.next_sequence(0);
    probe.sender = probe.sequence % 4;
    ledger.sent(0, probe.sender, Nanoseconds(1), Nanoseconds(1));
    probe.intended_ns = 1;
    for (std::uint32_t m = 0; m < members; ++m)
      benchmark::DoNotOptimize(ledger.received(m, probe, Nanoseconds(2)));
  }
  state.SetItemsProcessed(state.iterations() * members);
}
BENCHMARK(Fanout)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace roomcheck::loadgen
