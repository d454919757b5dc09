#include "libs/channel_layer/redis_peer.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>

namespace roomcheck::channel_layer {

namespace asio = boost::asio;

std::string random_hex() {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, 16> octets{};
  ::RAND_bytes(octets.data(), static_cast<int>(octets.size()));
  std::string out;
  for (const unsigned char octet : octets) {
    out += kDigits[octet >> 4];
    out += kDigits[octet & 0xf];
  }
  return out;
}

bool is_redis_failure(const Error& error) {
  return error.kind == Error::Kind::refused || error.kind == Error::Kind::timeout ||
         error.kind == Error::Kind::closed;
}

void answer(const ReceiverPtr& receiver, Result<Message> result, asio::io_context& home,
            std::function<void(bool)> taken) {
  receiver->limit.reset();
  asio::post(receiver->loop->io,
             [receiver, &home, result = std::move(result), taken = std::move(taken)]() mutable {
               const bool there = !receiver->layer.expired();
               if (there && receiver->done) receiver->done(std::move(result));
               if (taken) asio::post(home, [taken = std::move(taken), there] { taken(there); });
             });
}

RedisPeer::RedisPeer(const RedisOptions& options, asio::io_context& home)
    : options_(options), home_(home), payload_(options) {}

LayerStats RedisPeer::stats() const {
  LayerStats out;
  out.sent = counters_.sent;
  out.group_sent = counters_.group_sent;
  out.delivered = counters_.delivered;
  out.dropped = counters_.dropped;
  out.expired = counters_.expired;
  out.groups = counters_.groups;
  out.members = counters_.members;
  out.poison = counters_.poison;
  out.failed = counters_.failed;
  out.outages = counters_.outages;
  return out;
}

RedisPeer::Completion RedisPeer::counted(Completion done) {
  return [this, done = std::move(done)](Result<void> result) {
    if (!result.ok() && is_redis_failure(result.error())) ++counters_.failed;
    if (done) done(std::move(result));
  };
}

RedisPeer::Channel* RedisPeer::find(const std::string& name) {
  const auto found = channels_.find(name);
  return found == channels_.end() ? nullptr : &found->second;
}

RedisPeer::Group* RedisPeer::find_group(const std::string& name) {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : &found->second;
}

std::uint64_t RedisPeer::join(const std::string& group, const std::string& channel) {
  Group& entry = groups_[group];
  if (entry.channels.insert_or_assign(channel, ++joins_).second) {
    entry.stale = true;
    channels_[channel].groups.push_back(group);
    ++counters_.members;
    counters_.groups = groups_.size();
  }
  return joins_;
}

bool RedisPeer::leave(const std::string& group, const std::string& channel) {
  const auto found = groups_.find(group);
  if (found == groups_.end() || found->second.channels.erase(channel) == 0) return false;
  found->second.stale = true;
  if (found->second.channels.empty()) groups_.erase(found);
  if (Channel* const entry = find(channel)) {
    auto& groups = entry->groups;
    groups.erase(std::remove(groups.begin(), groups.end(), group), groups.end());
    forget_if_idle(channel);
  }
  --counters_.members;
  counters_.groups = groups_.size();
  return true;
}

void RedisPeer::forget_memberships() {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [name, group] : groups_)
    for (const auto& [channel, number] : group.channels) all.emplace_back(name, channel);
  for (const auto& [group, channel] : all) leave(group, channel);
}

void RedisPeer::forget_if_idle(const std::string& name) {
  const Channel* const channel = find(name);
  if (channel != nullptr && !channel->listening && channel->receivers.empty() && channel->queue.empty() &&
      channel->groups.empty())
    channels_.erase(name);
}

void RedisPeer::touch_groups_of(const Channel& channel) {
  for (const std::string& name : channel.groups)
    if (Group* const group = find_group(name)) group->stale = true;
}

bool RedisPeer::start_listening(const std::string& name, const ListeningPtr& listening) {
  Channel& channel = channels_[name];
  if (channel.listening) return false;
  channel.listening = listening;
  for (std::list<Queued> queue = std::exchange(channel.queue, {}); !queue.empty(); queue.pop_front())
    if (queue.front().expires > now()) deliver(name, queue.front().message, Overflow::newest);
  touch_groups_of(channel);
  return true;
}

void RedisPeer::stop_listening(const std::string& name, const ListeningPtr& listening) {
  Channel* const channel = find(name);
  if (channel == nullptr || channel->listening != listening) return;
  channel->listening = nullptr;
  touch_groups_of(*channel);
  forget_if_idle(name);
}

void RedisPeer::wait_for_message(const std::string& name, Nanoseconds limit, const ReceiverPtr& receiver,
                                 std::string why_nothing_came, std::function<void()> gave_up) {
  forget_expired();
  Channel& channel = channels_[name];
  if (!channel.queue.empty()) {
    ++counters_.delivered;
    answer(receiver, channel.queue.front().message, home_);
    channel.queue.pop_front();
    return forget_if_idle(name);
  }
  channel.receivers.push_back(receiver);
  receiver->limit = std::make_unique<asio::steady_timer>(home_, limit);
  receiver->limit->async_wait([this, weak = weak_from_this(), name, receiver,
                               why = std::move(why_nothing_came),
                               gave_up = std::move(gave_up)](const boost::system::error_code& code) {
    const auto self = weak.lock();
    if (code || !self) return;
    if (Channel* const entry = find(name)) entry->receivers.remove(receiver);
    answer(receiver, Error{Error::Kind::timeout, why}, home_);
    forget_if_idle(name);
    if (gave_up) gave_up();
  });
}

void RedisPeer::deliver(const std::string& name, const Message& message, Overflow overflow) {
  Channel* const channel = find(name);
  if (channel != nullptr && channel->listening) return deliver_to_listeners({channel->listening}, message);
  while (channel != nullptr && !channel->receivers.empty()) {
    const ReceiverPtr receiver = channel->receivers.front();
    channel->receivers.pop_front();
    if (receiver->layer.expired()) continue;
    ++counters_.delivered;
    busy_loops_.insert(receiver->loop);
    return answer(receiver, message, home_);
  }
  enqueue(name, message, overflow);
}

void RedisPeer::deliver_to_listeners(const std::vector<ListeningPtr>& listening, const Message& message) {
  for (const BatchPtr& batch : batches_of(listening)) {
    const std::uint64_t dropped = post_batch(batch, message);
    counters_.dropped += dropped;
    counters_.delivered += batch->members.size() - dropped;
    busy_loops_.insert(batch->loop);
  }
}

void RedisPeer::deliver_to_group(Group& group, const Message& message, Overflow overflow) {
  if (group.stale) rebuild(group);
  for (const BatchPtr& batch : group.batches) {
    const std::uint64_t dropped = post_batch(batch, message);
    counters_.dropped += dropped;
    counters_.delivered += batch->members.size() - dropped;
    busy_loops_.insert(batch->loop);
  }
  for (const std::string& name : group.others) deliver(name, message, overflow);
}

void RedisPeer::rebuild(Group& group) {
  std::vector<ListeningPtr> listening;
  group.others.clear();
  for (const auto& [name, added] : group.channels) {
    const Channel* const channel = find(name);
    if (channel != nullptr && channel->listening) {
      listening.push_back(channel->listening);
    } else {
      group.others.push_back(name);
    }
  }
  group.batches = batches_of(listening);
  group.stale = false;
}

void RedisPeer::enqueue(const std::string& name, const Message& message, Overflow overflow) {
  forget_expired();
  Channel& channel = channels_[name];
  const std::uint64_t capacity = options_.layer.capacity_of(name);
  if (channel.queue.size() >= capacity) {
    ++counters_.dropped;
    if (overflow == Overflow::newest) return;
    channel.queue.pop_front();
  }
  const auto expires =
      now() + std::chrono::duration_cast<std::chrono::system_clock::duration>(options_.layer.expiry);
  channel.queue.push_back({message, expires});
  unclaimed_.emplace_back(expires, name);
  if (unclaimed_.size() > kMostUnclaimed) drop_oldest(unclaimed_.front().second);
}

void RedisPeer::drop_oldest(const std::string& name) {
  if (Channel* const channel = find(name); channel != nullptr && !channel->queue.empty()) {
    channel->queue.pop_front();
    ++counters_.dropped;
    forget_if_idle(name);
  }
  unclaimed_.pop_front();
}

// Names are made up by outsiders: what nobody takes is forgotten without anybody asking for it.
void RedisPeer::forget_expired() {
  const auto at = now();
  while (!unclaimed_.empty() && unclaimed_.front().first <= at) {
    const std::string name = std::move(unclaimed_.front().second);
    unclaimed_.pop_front();
    Channel* const channel = find(name);
    if (channel == nullptr) continue;
    while (!channel->queue.empty() && channel->queue.front().expires <= at) {
      channel->queue.pop_front();
      ++counters_.expired;
    }
    forget_if_idle(name);
  }
}

}  // namespace roomcheck::channel_layer
