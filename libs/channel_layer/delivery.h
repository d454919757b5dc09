#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "libs/channel_layer/channel_layer.h"

// How a hub (the memory layer's, or a Redis peer) hands messages to the event loops of its process.
namespace roomcheck::channel_layer {

class Loop;
using LoopPtr = std::shared_ptr<Loop>;

std::uint64_t next_number();  // 1, 2, 3 ... in this process; thread: any

// The listening end of a channel. `listener` and `alive` belong to the loop's thread.
struct Listening {
  // Two counters with one writer each, instead of one that both change: no locked instruction for each member
  // of a broadcast.
  std::uint64_t posted = 0;               // to the loop, ever; whoever posts does so one at a time
  std::atomic<std::uint64_t> handled{0};  // by the loop
  std::uint64_t capacity = 0;             // constant once it listens
  bool alive = true;
  ChannelLayer::Listener listener;
  LoopPtr loop;
  const std::uint64_t number = next_number();  // the order in which they began to listen

  bool is_full() const { return posted - handled.load(std::memory_order_relaxed) >= capacity; }
};
using ListeningPtr = std::shared_ptr<Listening>;

// Members of one group on one loop, as of the last change; shared with the tasks that deliver to them.
struct Batch {
  LoopPtr loop;
  std::vector<ListeningPtr> members;
};
using BatchPtr = std::shared_ptr<const Batch>;

// One event loop of the process, and what is due to its listeners.
//
// What one turn of the loop has brought to the same members is handed over member by member, not message by
// message: in a room of thousands every member is cold in the cache, and is touched once.
class Loop : public std::enable_shared_from_this<Loop> {
 public:
  explicit Loop(boost::asio::io_context& context) : io(context) {}
  // Hands `message` to the members in a later turn, in the order of the calls. Thread: any.
  void post(BatchPtr to, Message message);

  boost::asio::io_context& io;

 private:
  struct Due {
    BatchPtr to;
    Message message;
  };
  class Turn;  // the task that hands over
  void hand_over();
  std::vector<Due> take_due();

  std::mutex mu_;
  std::vector<Due> due_;  // guarded by mu_; not empty: a task is posted
};

// Those who listen, loop by loop, in the order in which they began to: what was allocated one after the
// other, also in the kernel, lies together, and to walk along it is cheaper than to and fro
// (docs/PERFORMANCE.md).
std::vector<BatchPtr> batches_of(std::vector<ListeningPtr> members);

// Posting is the hub's, one thread at a time (its mutex, or its home loop).
//
// To all members of the batch that are below capacity; returns how many are not and get nothing.
std::uint64_t post_batch(const BatchPtr& batch, const Message& message);

// To one, whatever its capacity.
void post_one(const ListeningPtr& listening, const Message& message);

}  // namespace roomcheck::channel_layer
