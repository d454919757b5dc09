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
  std::uint64_t capacity = 0;  // constant once it listens
  // Two counters with one writer each, instead of one that both change: no locked instruction for each member
  // of a broadcast.
  std::uint64_t posted = 0;               // to the loop, ever; whoever posts does so one at a time
  std::atomic<std::uint64_t> handled{0};  // by the loop

  bool is_full() const { return posted - handled.load(std::memory_order_relaxed) >= capacity; }
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

// Posting is the hub's, one thread at a time (its mutex, or its home loop).
//
// One task for all members of the batch that are below capacity; returns how many are not and get nothing.
std::uint64_t post_batch(const BatchPtr& batch, const Message& message);

// A task for one, whatever its capacity.
void post_one(const ListeningPtr& listening, const Message& message);

}  // namespace roomcheck::channel_layer
