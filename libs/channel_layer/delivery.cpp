#include "libs/channel_layer/delivery.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <utility>

#include "libs/base/prefetch.h"

namespace roomcheck::channel_layer {
namespace {

constexpr std::size_t kRun = 16;  // messages handed to one member before the next has its turn
// Members that are fetched into the cache before their turn, to have a message handed over or posted.
constexpr std::size_t kAhead = 3;
constexpr std::size_t kPostAhead = 8;
constexpr std::size_t kCounters = 24;  // octets in front of a Listening, all that posting looks at

// The members behind the one that has its turn come nearer: itself first, then what it looks at.
void approach(const std::vector<ListeningPtr>& members, std::size_t turn) {
  if (turn + kAhead < members.size()) prefetch(members[turn + kAhead].get(), sizeof(Listening));
  for (const int others : {2, 1}) {
    if (turn + static_cast<std::size_t>(others) >= members.size()) continue;
    const Listening& member = *members[turn + static_cast<std::size_t>(others)];
    if (member.alive && member.listener.on_soon) member.listener.on_soon(others);
  }
}

void hand_over(Listening& to, const Message* const* messages, std::size_t count) {
  to.handled.store(to.handled.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  for (std::size_t i = 0; i < count && to.alive; ++i) to.listener.on_message(*messages[i], i + 1 < count);
}

}  // namespace

// Dropped without being run, because the io_context has ended, it forgets what is due: that holds listeners,
// and they hold the loop, which would hold it for ever.
class Loop::Turn {
 public:
  explicit Turn(LoopPtr loop) : loop_(std::move(loop)) {}
  Turn(Turn&&) = default;
  ~Turn() {
    if (loop_) loop_->take_due();
  }
  void operator()() { std::exchange(loop_, nullptr)->hand_over(); }

 private:
  LoopPtr loop_;
};

void Loop::post(BatchPtr to, Message message) {
  bool first = false;
  {
    const std::lock_guard lock(mu_);
    first = due_.empty();
    due_.push_back({std::move(to), std::move(message)});
  }
  if (first) boost::asio::post(io, Turn(shared_from_this()));
}

std::vector<Loop::Due> Loop::take_due() {
  const std::lock_guard lock(mu_);
  return std::exchange(due_, {});
}

void Loop::hand_over() {
  const std::vector<Due> due = take_due();
  for (std::size_t at = 0; at < due.size();) {
    const Batch& batch = *due[at].to;
    const Message* run[kRun];
    std::size_t count = 0;
    while (at < due.size() && count < kRun &&
           (due[at].to.get() == &batch || due[at].to->members == batch.members))
      run[count++] = &due[at++].message;
    for (std::size_t i = 0; i < batch.members.size(); ++i) {
      approach(batch.members, i);
      channel_layer::hand_over(*batch.members[i], run, count);
    }
  }
}

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::vector<BatchPtr> batches_of(std::vector<ListeningPtr> members) {
  std::sort(members.begin(), members.end(),
            [](const ListeningPtr& a, const ListeningPtr& b) { return a->number < b->number; });
  std::map<Loop*, std::shared_ptr<Batch>> by_loop;
  for (const ListeningPtr& member : members) {
    auto& batch = by_loop[member->loop.get()];
    if (!batch) batch = std::make_shared<Batch>(Batch{member->loop, {}});
    batch->members.push_back(member);
  }
  std::vector<BatchPtr> out;
  for (auto& [loop, batch] : by_loop) out.push_back(std::move(batch));
  return out;
}

std::uint64_t post_batch(const BatchPtr& batch, const Message& message) {
  std::shared_ptr<Batch> below;  // made only when somebody is at capacity
  std::uint64_t dropped = 0;
  for (std::size_t i = 0; i < batch->members.size(); ++i) {
    if (i + kPostAhead < batch->members.size()) prefetch(batch->members[i + kPostAhead].get(), kCounters);
    Listening& member = *batch->members[i];
    const bool full = member.is_full();
    if (full && !below)
      below = std::make_shared<Batch>(Batch{
          batch->loop, {batch->members.begin(), batch->members.begin() + static_cast<std::ptrdiff_t>(i)}});
    if (full) {
      ++dropped;
      continue;
    }
    ++member.posted;
    if (below) below->members.push_back(batch->members[i]);
  }
  const BatchPtr to = below ? below : batch;
  if (!to->members.empty()) batch->loop->post(to, message);
  return dropped;
}

void post_one(const ListeningPtr& listening, const Message& message) {
  ++listening->posted;
  listening->loop->post(std::make_shared<Batch>(Batch{listening->loop, {listening}}), message);
}

}  // namespace roomcheck::channel_layer
