#include <benchmark/benchmark.h>

#include "libs/websocket/frame.h"

namespace {

void FrameEncode(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(roomcheck::websocket::PreparedText(payload));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(FrameEncode)->Arg(100)->Arg(65536);

void Utf8Check(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(roomcheck::websocket::is_valid_utf8(payload));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Utf8Check)->Arg(100)->Arg(65536);

}  // namespace
