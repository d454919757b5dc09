// The channel layers that the contract suite judges.
#include <cstdlib>

#include "libs/channel_layer/contract.h"
#include "libs/channel_layer/memory.h"
#include "libs/channel_layer/redis.h"
#include "libs/testkit/broken_layer.h"
#include "libs/testkit/redis.h"

namespace roomcheck::channel_layer {
namespace {

Backend memory_backend() {
  Backend backend;
  backend.name = "memory";
  backend.make_node = [](const LayerOptions& options, const Clock& clock) -> Backend::Node {
    return [hub = make_in_memory_hub(options, clock)](boost::asio::io_context& io) {
      auto layer = make_in_memory_layer(hub, io);
      // broken_layers_test.cpp proves that each check can fail.
      const char* const fault = std::getenv("ROOMCHECK_LAYER_FAULT");
      return fault == nullptr ? std::move(layer) : testkit::break_layer(std::move(layer), fault);
    };
  };
  return backend;
}

// One Redis for all tests; each has a prefix of its own there.
testkit::TemporaryRedis& redis() {
  static testkit::TemporaryRedis server;
  return server;
}

RedisOptions redis_options(const LayerOptions& layer, const Clock& clock) {
  static int tests = 0;
  static const auto start = wall_now();
  RedisOptions options;
  options.layer = layer;
  options.layer.prefix = "contract" + std::to_string(++tests) + "-";
  options.hosts = {parse_redis_url(redis().url())};
  options.wall_clock = [&clock] {
    return start + std::chrono::duration_cast<std::chrono::system_clock::duration>(clock.now());
  };
  return options;
}

using MakePeer = std::shared_ptr<RedisPeer> (*)(const RedisOptions&, boost::asio::io_context&);

Backend redis_backend(const std::string& name, MakePeer make_peer, RedisMembers members) {
  Backend backend;
  backend.name = name;
  backend.refuses_at_once = false;
  backend.make_node = [=](const LayerOptions& layer, const Clock& clock) -> Backend::Node {
    RedisOptions options = redis_options(layer, clock);
    options.members = members;
    return [=, peer = std::shared_ptr<RedisPeer>()](boost::asio::io_context& io) mutable {
      if (!peer) peer = make_peer(options, io);
      return make_redis_layer(peer, io);
    };
  };
  return backend;
}

Backend redis_pubsub_backend() {
  Backend backend = redis_backend("redis_pubsub", make_redis_pubsub_peer, RedisMembers::per_connection);
  backend.keeps_messages = backend.has_capacity = backend.has_expiry = backend.knows_members = false;
  return backend;
}

}  // namespace

std::vector<Backend> backends() {
  return {memory_backend(), redis_backend("redis", make_redis_peer, RedisMembers::per_connection),
          redis_backend("redis_per_node", make_redis_peer, RedisMembers::per_node), redis_pubsub_backend()};
}

}  // namespace roomcheck::channel_layer
