#include <benchmark/benchmark.h>

#include <boost/asio/io_context.hpp>

#include "libs/channel_layer/memory.h"

namespace {

using namespace roomcheck::channel_layer;

// One group_send to listeners of one loop, delivered; items are deliveries.
void MemoryFanOut(benchmark::State& state) {
  boost::asio::io_context io;
  const auto layer = make_in_memory_layer(make_in_memory_hub({}, roomcheck::steady_clock()), io);
  std::uint64_t delivered = 0;
  for (int i = 0; i < state.range(0); ++i) {
    const std::string name = layer->new_channel();
    layer->listen(name, {[&delivered](const Message&, bool) { ++delivered; }}, {});
    layer->group_add("room", name, {});
  }
  for (auto _ : state) {
    layer->group_send("room", Event{{"type", "chat_message"}, {"message", "hello"}}, {});
    io.poll();
    io.restart();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(delivered));
}
BENCHMARK(MemoryFanOut)->Arg(1000)->Arg(10000);

void JoinAndLeave(benchmark::State& state) {
  boost::asio::io_context io;
  const auto layer = make_in_memory_layer(make_in_memory_hub({}, roomcheck::steady_clock()), io);
  for (auto _ : state) {
    const std::string name = layer->new_channel();
    layer->listen(name, {[](const Message&, bool) {}}, {});
    layer->group_add("room", name, {});
    layer->group_discard("room", name, {});
    layer->unlisten(name);
    io.poll();
    io.restart();
  }
}
BENCHMARK(JoinAndLeave);

}  // namespace
