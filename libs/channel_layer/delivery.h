#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "libs/channel_layer/channel_layer.h"

// How a hub (the memory layer's, or a Redis peer) hands messages to the event loops of its process.
namespace roomcheck::channel_layer {

// One event loop of the process.
struct Loop {
  explicit Loop(boost::asio::io_context& context) : io(context) {}
  boost::asio::io_context& io;
};
using LoopPtr = std::shared_ptr<Loop>;

// The listening end of a channel. `handler` and `alive` belong to the loop's thread.
struct Listening {
  LoopPtr loop;
  ChannelLayer::Listener handler;
  bool alive = true;
  std::uint64_t capacity = 0;             // constant once it listens
  std::atomic<std::uint64_t> pending{0};  // posted to the loop, not yet handled
};
using ListeningPtr = std::shared_ptr<Listening>;

// Members of one group on one loop, as of the last change; shared with the tasks that deliver to them.
struct Batch {
  LoopPtr loop;
  std::vector<ListeningPtr> members;
};
using BatchPtr = std::shared_ptr<const Batch>;

// Those who listen, loop by loop.
std::vector<BatchPtr> batches_of(const std::vector<ListeningPtr>& members);

// One task for all members of the batch that are below capacity; returns how many are not and get nothing.
std::uint64_t post_batch(const BatchPtr& batch, const Message& message);

// A task for one, whatever its capacity.
void post_one(const ListeningPtr& listening, const Message& message);

}  // namespace roomcheck::channel_layer
