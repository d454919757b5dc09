#include <benchmark/benchmark.h>

#include "libs/event/event.h"
#include "libs/event/msgpack.h"

namespace {

using roomcheck::event::Event;

const std::string kEnvelope = R"({"msg":")" + std::string(100, 'x') + R"("})";

void EnvelopeDecode(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(roomcheck::event::parse_json(kEnvelope));
}
BENCHMARK(EnvelopeDecode);

void ReplyEncode(benchmark::State& state) {
  const std::string text = "预警信息2：" + std::string(100, 'x');
  for (auto _ : state) {
    std::string out = R"({"message": )";
    roomcheck::event::append_python_json_string(out, text);
    benchmark::DoNotOptimize(out += '}');
  }
}
BENCHMARK(ReplyEncode);

void MsgpackEncode(benchmark::State& state) {
  const Event event{{"type", "chat_message"}, {"message", std::string(100, 'x')}};
  for (auto _ : state) benchmark::DoNotOptimize(roomcheck::event::to_msgpack(event));
}
BENCHMARK(MsgpackEncode);

void MsgpackDecode(benchmark::State& state) {
  const std::string bytes =
      roomcheck::event::to_msgpack(Event{{"type", "chat_message"}, {"message", std::string(100, 'x')}});
  for (auto _ : state) benchmark::DoNotOptimize(roomcheck::event::from_msgpack(bytes));
}
BENCHMARK(MsgpackDecode);

}  // namespace
