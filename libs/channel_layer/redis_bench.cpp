#include <benchmark/benchmark.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <memory>

#include "libs/channel_layer/payload.h"
#include "libs/channel_layer/redis.h"
#include "libs/testkit/redis.h"

namespace {

using namespace roomcheck::channel_layer;

const Event& message() {
  static const Event event{{"type", "chat_message"}, {"message", std::string(100, 'x')}};
  return event;
}

std::vector<std::string> names(std::int64_t count) {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < count; ++i) {
    std::string local = std::to_string(i);
    local.insert(0, 32 - local.size(), '0');
    out.push_back("specific.d5883c3348374fd4847539e1dce37d39!" + local);
  }
  return out;
}

// What a group_send to that many members of one process costs to write, and to read.
void WriteGroupMessage(benchmark::State& state) {
  const Payload payload{RedisOptions()};
  const std::vector<std::string> all = names(state.range(0));
  const std::vector<std::string_view> views(all.begin(), all.end());
  for (auto _ : state) benchmark::DoNotOptimize(payload.for_channels(*payload.map_of(message()), views));
}
BENCHMARK(WriteGroupMessage)->Arg(1)->Arg(1000);

void ReadGroupMessage(benchmark::State& state) {
  const Payload payload{RedisOptions()};
  const std::vector<std::string> all = names(state.range(0));
  const std::string member =
      payload.for_channels(*payload.map_of(message()), std::vector<std::string_view>(all.begin(), all.end()));
  for (auto _ : state) benchmark::DoNotOptimize(payload.from_queue(member));
}
BENCHMARK(ReadGroupMessage)->Arg(1)->Arg(1000);

// One message into a group of that many listeners of this process, through Redis, until all have it. The CPU
// column is ours (one thread), without Redis'. $REDIS_URL, or a Redis of the benchmark's own.
class OnRedis {
 public:
  using Make = std::unique_ptr<ChannelLayer> (*)(const RedisOptions&, boost::asio::io_context&);

  OnRedis(Make make, RedisMembers members, std::int64_t listeners) : listeners_(listeners) {
    RedisOptions options;
    if (const char* const url = std::getenv("REDIS_URL"); url != nullptr) {
      options.hosts = {parse_redis_url(url)};
    } else {
      static roomcheck::testkit::TemporaryRedis redis;
      options.hosts = {parse_redis_url(redis.url())};
    }
    options.layer.prefix = "bench";
    options.members = members;
    layer_ = make(options, io_);
    std::int64_t joined = 0;
    for (std::int64_t i = 0; i < listeners; ++i) {
      const std::string name = layer_->new_channel();
      layer_->listen(name, {[this](const Message&, bool) { ++got_; }}, {});
      layer_->group_add("room", name, [&joined](const roomcheck::Result<void>&) { ++joined; });
    }
    while (joined < listeners) io_.run_one();
  }

  ~OnRedis() {
    bool closed = false;
    layer_->close([&closed](const roomcheck::Result<void>&) { closed = true; });
    while (!closed) io_.run_one();
  }

  void run(benchmark::State& state) {
    for (auto _ : state) {
      layer_->group_send("room", message(), {});
      const std::int64_t wanted = got_ + listeners_;
      while (got_ < wanted) io_.run_one();
    }
    state.SetItemsProcessed(state.iterations());
  }

 private:
  boost::asio::io_context io_;
  std::unique_ptr<ChannelLayer> layer_;
  const std::int64_t listeners_;
  std::int64_t got_ = 0;
};

void GroupSendCore(benchmark::State& state) {
  OnRedis(make_redis_layer, RedisMembers::per_connection, state.range(0)).run(state);
}
BENCHMARK(GroupSendCore)->Arg(1)->Arg(1000)->UseRealTime();

void GroupSendCorePerNode(benchmark::State& state) {
  OnRedis(make_redis_layer, RedisMembers::per_node, state.range(0)).run(state);
}
BENCHMARK(GroupSendCorePerNode)->Arg(1000)->UseRealTime();

void GroupSendPubSub(benchmark::State& state) {
  OnRedis(make_redis_pubsub_layer, RedisMembers::per_connection, state.range(0)).run(state);
}
BENCHMARK(GroupSendPubSub)->Arg(1)->Arg(1000)->UseRealTime();

}  // namespace
