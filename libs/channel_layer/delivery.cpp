#include "libs/channel_layer/delivery.h"

#include <boost/asio/post.hpp>
#include <map>

namespace roomcheck::channel_layer {
namespace {

void hand_over(Listening& to, const Message& message) {
  to.handled.store(to.handled.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (to.alive) to.handler(message);
}

}  // namespace

std::vector<BatchPtr> batches_of(const std::vector<ListeningPtr>& members) {
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
  if (!to->members.empty())
    boost::asio::post(batch->loop->io, [to, message] {
      for (const ListeningPtr& member : to->members) hand_over(*member, message);
    });
  return dropped;
}

void post_one(const ListeningPtr& listening, const Message& message) {
  ++listening->posted;
  boost::asio::post(listening->loop->io, [listening, message] { hand_over(*listening, message); });
}

}  // namespace roomcheck::channel_layer
