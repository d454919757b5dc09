#pragma once
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <list>
#include <set>
#include <string>
#include <unordered_map>

#include "libs/channel_layer/delivery.h"
#include "libs/channel_layer/payload.h"
#include "libs/channel_layer/redis.h"

namespace roomcheck::channel_layer {

// Someone in receive(), until he is answered or his layer is gone.
struct Receiver {
  LoopPtr loop;
  std::weak_ptr<bool> layer;  // gone with the layer that asked
  ChannelLayer::ReceiveCompletion done;
  std::unique_ptr<boost::asio::steady_timer> limit;  // home loop
};
using ReceiverPtr = std::shared_ptr<Receiver>;

// Answers a receiver on his loop. `taken` (may be empty) runs on `home`: true once he has had the message,
// false when he was gone.
void answer(const ReceiverPtr& receiver, Result<Message> result, boost::asio::io_context& home,
            std::function<void(bool)> taken = {});

// What both layers have in common: the channels of this process, and how messages reach them.
//
// Thread: the home loop, but for what is marked. Completions run there; RedisLayer carries them to the loop
// that asked.
class RedisPeer : public std::enable_shared_from_this<RedisPeer> {
 public:
  using Completion = ChannelLayer::Completion;
  using GroupSendCompletion = ChannelLayer::GroupSendCompletion;
  using ChannelsCompletion = ChannelLayer::ChannelsCompletion;

  RedisPeer(const RedisOptions& options, boost::asio::io_context& home);
  virtual ~RedisPeer() = default;

  // Any thread:
  boost::asio::io_context& home() const { return home_; }
  const Payload& payload() const { return payload_; }
  virtual std::string new_channel(std::string_view prefix) const = 0;
  LayerStats stats() const;

  // `map` comes from payload().map_of().
  virtual void send(const std::string& channel, const std::string& map, Completion done) = 0;
  virtual void group_send(const std::string& group, std::string map, GroupSendCompletion done) = 0;
  virtual void receive(const std::string& channel, Nanoseconds limit, ReceiverPtr receiver) = 0;
  virtual void listen(const std::string& channel, const ListeningPtr& listening, Completion done) = 0;
  virtual void unlisten(const std::string& channel, const ListeningPtr& listening) = 0;
  virtual void group_add(const std::string& group, const std::string& channel, Completion done) = 0;
  virtual void group_discard(const std::string& group, const std::string& channel, Completion done) = 0;
  virtual void group_channels(const std::string& group, ChannelsCompletion done) = 0;
  virtual void flush(Completion done) = 0;
  virtual void close(Completion done) = 0;

 protected:
  struct Queued {
    Message message;
    std::chrono::system_clock::time_point expires;
  };
  // A channel that somebody in this process listens to or receives from, or that has messages for it.
  struct Channel {
    ListeningPtr listening;
    std::list<ReceiverPtr> receivers;
    std::list<Queued> queue;          // not a deque, which takes half a KiB when it is empty
    std::vector<std::string> groups;  // that it is in, as far as this process did it
  };
  // Group members in this process, and the same loop by loop as of the last change.
  struct Group {
    std::unordered_map<std::string, std::uint64_t> channels;  // with the number of the group_add
    std::string entry;  // core, per node: the name that stands for all of them in Redis
    std::vector<BatchPtr> batches;
    std::vector<std::string> others;  // nobody listens to them
    bool stale = true;
  };
  enum class Overflow { oldest, newest };

  // How many messages wait in this process for channels that nobody reads; beyond it the oldest goes.
  static constexpr std::size_t kMostUnclaimed = 10000;

  Channel* find(const std::string& name);
  Group* find_group(const std::string& name);
  // Adds; returns the number of this group_add.
  std::uint64_t join(const std::string& group, const std::string& channel);
  bool leave(const std::string& group, const std::string& channel);  // false: was no member
  void forget_if_idle(const std::string& name);
  // False when the channel has a listener already. Delivers what waits.
  bool start_listening(const std::string& name, const ListeningPtr& listening);
  void stop_listening(const std::string& name, const ListeningPtr& listening);
  // Answers from the queue, or keeps the receiver until `limit`; `gave_up` runs when it then went away.
  void wait_for_message(const std::string& name, Nanoseconds limit, const ReceiverPtr& receiver,
                        std::string why_nothing_came, std::function<void()> gave_up);

  // To the channel's listener, its first receiver, or its queue.
  void deliver(const std::string& name, const Message& message, Overflow overflow);
  void deliver_to_group(Group& group, const Message& message, Overflow overflow);
  void deliver_to_listeners(const std::vector<ListeningPtr>& listening, const Message& message);
  void forget_expired();
  void forget_memberships();

  // A completion that counts failures of Redis.
  Completion counted(Completion done);
  std::chrono::system_clock::time_point now() const { return options_.wall_clock(); }

  struct Counters {
    std::atomic<std::uint64_t> sent{0}, group_sent{0}, delivered{0}, dropped{0}, expired{0}, groups{0},
        members{0}, poison{0}, failed{0}, outages{0};
  };

  const RedisOptions options_;
  boost::asio::io_context& home_;
  const Payload payload_;
  Counters counters_;
  std::unordered_map<std::string, Channel> channels_;
  std::unordered_map<std::string, Group> groups_;  // with a member here
  std::set<LoopPtr> busy_loops_;                   // that got messages since they were last asked about

 private:
  void enqueue(const std::string& name, const Message& message, Overflow overflow);
  void touch_groups_of(const Channel& channel);
  void rebuild(Group& group);
  void drop_oldest(const std::string& name);

  std::deque<std::pair<std::chrono::system_clock::time_point, std::string>> unclaimed_;
  std::uint64_t joins_ = 0;
};

// 32 random hexadecimal digits, as Python's uuid4().hex. Thread: any.
std::string random_hex();
// "redis://host: what happened" -> counts as a failure of Redis, not of the caller.
bool is_redis_failure(const Error& error);

}  // namespace roomcheck::channel_layer
