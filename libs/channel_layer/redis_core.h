#pragma once
#include <boost/asio/steady_timer.hpp>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "libs/channel_layer/inbox_reader.h"
#include "libs/channel_layer/redis_connection.h"
#include "libs/channel_layer/redis_peer.h"
#include "libs/channel_layer/redis_words.h"
#include "libs/channel_layer/send_order.h"
#include "libs/channel_layer/shards.h"

namespace roomcheck::channel_layer {

// What is to be stored in one queue.
struct Parcel {
  std::string key;
  std::string member;
  std::uint64_t capacity = 0;
  std::uint64_t channels = 0;  // that lose the message when the queue is full
};

// The layer of channels_redis `core`, for a whole process. Names, keys and payloads are Python's;
// docs/REDIS.md has them.
//
//   redis_core.cpp          sending, and the process's own inbox
//   redis_core_groups.cpp   memberships, and what stands in Redis at the end
//   redis_core_plain.cpp    plain queues, which other processes read too
//
// Thread: home loop, but for new_channel().
class CorePeer final : public RedisPeer {
 public:
  CorePeer(const RedisOptions& options, boost::asio::io_context& home)
      : RedisPeer(options, home), id_(random_hex()), renewal_timer_(home) {}

  void start() {
    for (std::size_t i = 0; i < options_.hosts.size(); ++i) {
      shards_.push_back(std::make_unique<RedisConnection>(
          home_, options_.hosts[i], options_.connect_timeout, options_.operation_timeout,
          RedisConnection::Events{
              [this, i] { restore_memberships(i); }, [this] { ++counters_.outages; }, {}}));
      shards_.back()->start();
    }
    renewed_at_ = now();
    plan_renewal();
  }

  // Python: f"{prefix}.{client_prefix}!{uuid4().hex}"
  std::string new_channel(std::string_view prefix) const override {
    return std::string(prefix) + "." + id_ + "!" + random_hex();
  }

  void send(const std::string& channel, const std::string& map, Completion done) override;
  void group_send(const std::string& group, std::string map, GroupSendCompletion done) override;
  void receive(const std::string& channel, Nanoseconds limit, ReceiverPtr receiver) override;
  void listen(const std::string& channel, const ListeningPtr& listening, Completion done) override;
  void unlisten(const std::string& channel, const ListeningPtr& listening) override;
  void group_add(const std::string& group, const std::string& channel, Completion done) override;
  void group_discard(const std::string& group, const std::string& channel, Completion done) override;
  void group_channels(const std::string& group, ChannelsCompletion done) override;
  void flush(Completion done) override;
  void close(Completion done) override;

 private:
  // The blocking receives of one plain queue, one a shard.
  struct PlainQueue {
    std::vector<std::unique_ptr<InboxReader>> readers;
    std::size_t idle = 0;
  };

  // Names and places.
  std::string queue_key(std::string_view channel) const {
    return options_.layer.prefix + std::string(non_local(channel));
  }
  std::string group_key(const std::string& group) const { return options_.layer.prefix + ":group:" + group; }
  bool is_own(std::string_view channel) const {
    const std::string_view head = non_local(channel);
    return head.size() > id_.size() + 2 && head.back() == '!' &&
           head.substr(head.size() - id_.size() - 2, id_.size() + 1) == "." + id_;
  }
  RedisConnection& shard_of_group(const std::string& group) {
    return *shards_[shard_of(group, shards_.size())];
  }

  // Time.
  double seconds() const { return std::chrono::duration<double>(now().time_since_epoch()).count(); }
  std::string oldest(Nanoseconds expiry) const { return decimal(std::floor(seconds()) - seconds_of(expiry)); }
  double next_score();
  bool is_too_old(std::string_view score) const;

  // Sending.
  void store(std::size_t shard, const std::vector<Parcel>& parcels, std::function<void(const Reply&)> done);
  std::map<std::size_t, std::vector<Parcel>> parcels_for(const redisReply& names, const std::string& map,
                                                         GroupSendReport& report);

  // Memberships in Redis.
  void add_members(RedisConnection& shard, const std::string& group, const std::vector<std::string>& names,
                   const Completion& done);
  void remove_members(RedisConnection& shard, const std::string& group, const std::vector<std::string>& names,
                      const Completion& done);
  std::vector<std::string> entries_of(const Group& group) const;
  void restore_memberships(std::size_t shard);
  void renew_if_due();
  void plan_renewal();
  const std::string& entry_for(const std::string& group, const std::string& channel);

  // Receiving.
  void read_inbox_of(const std::string& channel);
  void on_private(std::string_view member, std::string_view score);
  void on_plain(const std::string& name, std::size_t shard, std::string_view member, std::string_view score);
  Result<Incoming> open(std::string_view member);
  void when_handled(std::function<void()> next);
  bool is_wanted(const std::string& name);
  void try_plain(const std::string& name, std::size_t tried, Nanoseconds limit, const ReceiverPtr& receiver);
  Result<void> read_plain(const std::string& name);
  void stop_reading_plain_if_unwanted(const std::string& name);
  void hand_over_plain(const std::string& name, std::size_t shard, const std::string& member,
                       const Message& message, const ReceiverPtr& receiver);
  void put_back(const std::string& name, std::size_t shard, const std::string& member);

  void scan(std::size_t shard, const std::string& cursor, std::shared_ptr<std::vector<std::string>> keys,
            const Completion& done);

  const std::string id_;  // client prefix: this process, for everybody
  std::vector<std::unique_ptr<RedisConnection>> shards_;
  SendOrder order_;
  double last_score_ = 0;
  std::size_t next_plain_shard_ = 0;
  bool closed_ = false;

  // Left, but Redis has not confirmed it: by group.
  std::unordered_map<std::string, std::set<std::string>> departed_;
  std::unordered_map<std::string, std::string> entry_group_;  // per node: name in Redis -> group
  std::chrono::system_clock::time_point renewed_at_;
  boost::asio::steady_timer renewal_timer_;

  std::unordered_map<std::string, std::vector<std::unique_ptr<InboxReader>>> inboxes_;  // by non-local part
  std::unordered_map<std::string, PlainQueue> plain_;
};

}  // namespace roomcheck::channel_layer
