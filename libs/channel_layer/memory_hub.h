#pragma once
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/channel_layer/channel_layer.h"
#include "libs/channel_layer/delivery.h"

namespace roomcheck::channel_layer {

// Someone in receive(). `timer` and `done` belong to the loop's thread; who takes the waiter out of its
// channel answers it.
struct Waiter {
  LoopPtr loop;
  boost::asio::steady_timer timer;
  ChannelLayer::ReceiveCompletion done;
  explicit Waiter(LoopPtr l) : loop(std::move(l)), timer(loop->io) {}
};
using WaiterPtr = std::shared_ptr<Waiter>;

// What the in-memory layers of a process share: channels, groups, what waits for whom.
//
// Thread: any.
class InMemoryHub {
 public:
  InMemoryHub(LayerOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  Result<void> send(const std::string& name, Event event) {
    const std::lock_guard lock(mu_);
    forget_expired();
    ++stats_.sent;
    Channel& channel = channels_[name];
    const Message message = std::make_shared<const Event>(std::move(event));
    if (offer(name, channel, message)) return {};
    return Error{Error::Kind::full, "channel full: " + name};
  }

  Result<GroupSendReport> group_send(const std::string& name, Event event) {
    const std::lock_guard lock(mu_);
    forget_expired();
    ++stats_.group_sent;
    GroupSendReport report;
    const auto found = groups_.find(name);
    if (found == groups_.end()) return report;
    Group& group = found->second;
    if (group.stale) rebuild(group);
    const Message message = std::make_shared<const Event>(std::move(event));

    for (const auto& batch : group.batches) {
      const std::uint64_t dropped = post_batch(batch, message);
      report.members += batch->members.size();
      report.dropped += dropped;
      stats_.delivered += batch->members.size() - dropped;
    }
    const Nanoseconds now = clock_.now();
    for (const std::string& member : group.others) {
      const auto at = group.members.find(member);
      if (now - at->second >= options_.group_expiry) {
        group.members.erase(at);
        group.stale = true;
        forget_membership(member, name);
        continue;
      }
      ++report.members;
      if (!offer(member, channels_[member], message)) ++report.dropped;
    }
    if (group.members.empty()) groups_.erase(found);
    stats_.dropped += report.dropped;
    return report;
  }

  void group_add(const std::string& group, const std::string& channel) {
    const std::lock_guard lock(mu_);
    Group& entry = groups_[group];
    const bool added = entry.members.insert_or_assign(channel, clock_.now()).second;
    if (!added) return;
    entry.stale = true;
    memberships_[channel].push_back(group);
  }

  void group_discard(const std::string& group, const std::string& channel) {
    const std::lock_guard lock(mu_);
    const auto found = groups_.find(group);
    if (found == groups_.end() || found->second.members.erase(channel) == 0) return;
    found->second.stale = true;
    if (found->second.members.empty()) groups_.erase(found);
    forget_membership(channel, group);
  }

  std::vector<std::string> group_channels(const std::string& group) {
    const std::lock_guard lock(mu_);
    std::vector<std::string> out;
    const auto found = groups_.find(group);
    if (found == groups_.end()) return out;
    const Nanoseconds now = clock_.now();
    for (const auto& [channel, added] : found->second.members)
      if (is_listened(channel) || now - added < options_.group_expiry) out.push_back(channel);
    std::sort(out.begin(), out.end());
    return out;
  }

  // False when the channel has a listener already.
  bool listen(const std::string& name, const ListeningPtr& listening) {
    const std::lock_guard lock(mu_);
    Channel& channel = channels_[name];
    if (channel.listening) return false;
    listening->capacity = options_.capacity_of(name);
    channel.listening = listening;
    const Nanoseconds now = clock_.now();
    for (const Queued& queued : channel.queue)
      if (queued.expires > now) post_counted(listening, queued.message);
    channel.queue.clear();
    touch_groups_of(name);
    return true;
  }

  ListeningPtr unlisten(const std::string& name) {
    const std::lock_guard lock(mu_);
    const auto found = channels_.find(name);
    if (found == channels_.end()) return nullptr;
    ListeningPtr out = std::move(found->second.listening);
    found->second.listening = nullptr;
    touch_groups_of(name);
    if (found->second.idle()) channels_.erase(found);
    return out;
  }

  // A message at once, or the waiter is kept until one comes.
  Message receive_or_wait(const std::string& name, const WaiterPtr& waiter) {
    const std::lock_guard lock(mu_);
    forget_expired();
    Channel& channel = channels_[name];
    while (!channel.queue.empty()) {
      Queued first = std::move(channel.queue.front());
      channel.queue.pop_front();
      if (first.expires > clock_.now()) {
        ++stats_.delivered;
        if (channel.idle()) channels_.erase(name);
        return first.message;
      }
      ++stats_.expired;
    }
    channel.waiters.push_back(waiter);
    return nullptr;
  }

  // True when the waiter was still waiting: the caller then answers it.
  bool take_back(const std::string& name, const WaiterPtr& waiter) {
    const std::lock_guard lock(mu_);
    const auto found = channels_.find(name);
    if (found == channels_.end()) return false;
    auto& waiters = found->second.waiters;
    const auto at = std::find(waiters.begin(), waiters.end(), waiter);
    if (at == waiters.end()) return false;
    waiters.erase(at);
    if (found->second.idle()) channels_.erase(found);
    return true;
  }

  void flush() {
    const std::lock_guard lock(mu_);
    groups_.clear();
    memberships_.clear();
    queued_.clear();
    for (auto it = channels_.begin(); it != channels_.end();) {
      it->second.queue.clear();
      it = it->second.idle() ? channels_.erase(it) : std::next(it);
    }
  }

  LayerStats stats() {
    const std::lock_guard lock(mu_);
    LayerStats out = stats_;
    out.groups = groups_.size();
    for (const auto& [name, group] : groups_) out.members += group.members.size();
    return out;
  }

 private:
  struct Queued {
    Message message;
    Nanoseconds expires;
  };

  struct Channel {
    ListeningPtr listening;
    // Lists: most channels have a listener and nothing here, and an empty deque takes half a KiB.
    std::list<Queued> queue;  // at most its capacity
    std::list<WaiterPtr> waiters;
    bool idle() const { return !listening && queue.empty() && waiters.empty(); }
  };

  struct Group {
    std::unordered_map<std::string, Nanoseconds> members;  // channel name -> when it was added
    // Rebuilt by the first group_send after a change: the steady state of a broadcast allocates nothing per
    // member.
    bool stale = true;
    std::vector<BatchPtr> batches;
    std::vector<std::string> others;  // members that nobody listens to
  };

  bool is_listened(const std::string& name) const {
    const auto found = channels_.find(name);
    return found != channels_.end() && found->second.listening;
  }

  void touch_groups_of(const std::string& channel) {
    const auto found = memberships_.find(channel);
    if (found == memberships_.end()) return;
    for (const std::string& group : found->second)
      if (const auto at = groups_.find(group); at != groups_.end()) at->second.stale = true;
  }

  void forget_membership(const std::string& channel, const std::string& group) {
    const auto found = memberships_.find(channel);
    if (found == memberships_.end()) return;
    auto& groups = found->second;
    groups.erase(std::remove(groups.begin(), groups.end(), group), groups.end());
    if (groups.empty()) memberships_.erase(found);
  }

  void rebuild(Group& group) {
    std::vector<ListeningPtr> listening;
    group.others.clear();
    for (const auto& [name, added] : group.members) {
      const auto found = channels_.find(name);
      if (found == channels_.end() || !found->second.listening) {
        group.others.push_back(name);
      } else {
        listening.push_back(found->second.listening);
      }
    }
    group.batches = batches_of(listening);
    group.stale = false;
  }

  void post_counted(const ListeningPtr& listening, const Message& message) {
    ++stats_.delivered;
    post_one(listening, message);
  }

  // Hands a message to the channel's listener, to a waiter or to its queue; false when it is full.
  bool offer(const std::string& name, Channel& channel, const Message& message) {
    if (channel.listening) {
      if (channel.listening->is_full()) return false;
      post_counted(channel.listening, message);
      return true;
    }
    if (!channel.waiters.empty()) {
      const WaiterPtr waiter = channel.waiters.front();
      channel.waiters.pop_front();
      ++stats_.delivered;
      boost::asio::post(waiter->loop->io, [waiter, message] {
        waiter->timer.cancel();
        waiter->done(message);
      });
      if (channel.idle()) channels_.erase(name);
      return true;
    }
    if (channel.queue.size() >= options_.capacity_of(name)) return false;
    const Nanoseconds expires = clock_.now() + options_.expiry;
    channel.queue.push_back({message, expires});
    queued_.push_back({expires, name});
    return true;
  }

  // Messages that nobody takes are forgotten without anybody asking for them: names are made up by outsiders.
  void forget_expired() {
    const Nanoseconds now = clock_.now();
    while (!queued_.empty() && queued_.front().first <= now) {
      const auto found = channels_.find(queued_.front().second);
      queued_.pop_front();
      if (found == channels_.end()) continue;
      auto& queue = found->second.queue;
      while (!queue.empty() && queue.front().expires <= now) {
        queue.pop_front();
        ++stats_.expired;
      }
      if (found->second.idle()) channels_.erase(found);
    }
  }

  const LayerOptions options_;
  const Clock& clock_;
  std::mutex mu_;
  // Guarded by mu_:
  std::unordered_map<std::string, Channel> channels_;
  std::unordered_map<std::string, Group> groups_;
  std::unordered_map<std::string, std::vector<std::string>> memberships_;  // channel -> its groups
  std::deque<std::pair<Nanoseconds, std::string>> queued_;  // when which channel has something to forget
  LayerStats stats_;
};

}  // namespace roomcheck::channel_layer
