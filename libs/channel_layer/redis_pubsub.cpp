// The layer of channels_redis `pubsub`, for a whole process.
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include "libs/channel_layer/redis_connection.h"
#include "libs/channel_layer/redis_peer.h"
#include "libs/channel_layer/send_order.h"
#include "libs/channel_layer/shards.h"
#include "libs/channel_layer/subscriber.h"
#include "libs/event/names.h"

namespace roomcheck::channel_layer {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kHealthCheck(5);

class PubSubPeer final : public RedisPeer {
 public:
  PubSubPeer(const RedisOptions& options, asio::io_context& home)
      : RedisPeer(options, home),
        own_topic_(options.layer.prefix + "__peer__" + random_hex()),
        health_timer_(home) {}

  void start() {
    for (const RedisUrl& host : options_.hosts) {
      commands_.push_back(std::make_unique<RedisConnection>(
          home_, host, options_.connect_timeout, options_.operation_timeout,
          RedisConnection::Events{{}, [this] { ++counters_.outages; }, {}}));
      subscribers_.push_back(std::make_unique<Subscriber>(
          home_, host, options_, own_topic_,
          [this](const std::string& topic, std::string_view payload) { on_message(topic, payload); },
          [this] { ++counters_.outages; }));
      commands_.back()->start();
      subscribers_.back()->start();
    }
    plan_health_check();
  }

  // Python: f"{layer prefix}specific.{uuid4().hex}"
  std::string new_channel(std::string_view prefix) const override {
    return options_.layer.prefix + std::string(prefix) + "." + random_hex();
  }

  void send(const std::string& channel, const std::string& map, Completion done) override {
    if (const Result<void> valid = check_channel(channel); !valid.ok()) return done ? done(valid) : void();
    ++counters_.sent;
    publish(channel, map, counted(std::move(done)));
  }

  void group_send(const std::string& group, std::string map, GroupSendCompletion done) override {
    if (const Result<void> valid = event::check_group_name(group); !valid.ok())
      return done ? done(valid.error()) : void();
    ++counters_.group_sent;
    publish(group_topic(group), map, counted([done = std::move(done)](const Result<void>& sent) {
              if (!done) return;
              if (!sent.ok()) return done(sent.error());
              GroupSendReport report;
              report.known = false;
              done(report);
            }));
  }

  void listen(const std::string& channel, const ListeningPtr& listening, Completion done) override {
    done = counted(std::move(done));
    if (const Result<void> valid = check_channel(channel); !valid.ok()) return done(valid);
    listening->capacity = options_.layer.capacity_of(channel);
    if (!start_listening(channel, listening))
      return done(Error{Error::Kind::bad_input, "channel " + channel + " has a listener already"});
    subscriber(channel).subscribe(channel, done);
  }

  void unlisten(const std::string& channel, const ListeningPtr& listening) override {
    stop_listening(channel, listening);
    unsubscribe_if_unwanted(channel);
  }

  void receive(const std::string& channel, Nanoseconds limit, ReceiverPtr receiver) override {
    if (const Result<void> valid = check_channel(channel); !valid.ok())
      return answer(receiver, valid.error(), home_);
    wait_for_message(channel, limit, receiver,
                     "nothing arrived on channel " + channel +
                         " within the time limit (on pub/sub no message waits for a receiver: only who is "
                         "subscribed already gets it)",
                     [this, channel] { unsubscribe_if_unwanted(channel); });
    if (is_wanted(channel)) subscriber(channel).subscribe(channel, counted({}));
  }

  void group_add(const std::string& group, const std::string& channel, Completion done) override {
    done = counted(std::move(done));
    if (const Result<void> valid = check_names(group, channel); !valid.ok()) return done(valid);
    if (!is_wanted(channel))
      return done(Error{Error::Kind::bad_input,
                        "channel " + channel +
                            " is not listened to in this process: on pub/sub only such a channel can join"});
    const std::uint64_t number = join(group, channel);
    topic_groups_[group_topic(group)] = group;
    // Effective when both the channel and the group are heard.
    subscriber(channel).subscribe(
        channel, [this, weak = weak_from_this(), group, channel, number, done](const Result<void>& heard) {
          const auto self = weak.lock();
          if (!self) return;
          if (!heard.ok()) return take_back(group, channel, number, heard, done);
          if (find_group(group) == nullptr) return done({});  // left again meanwhile
          subscriber(group_topic(group))
              .subscribe(group_topic(group),
                         [this, weak, group, channel, number, done](const Result<void>& joined) {
                           const auto still = weak.lock();
                           if (!still) return;
                           if (!joined.ok()) return take_back(group, channel, number, joined, done);
                           done({});
                         });
        });
  }

  void group_discard(const std::string& group, const std::string& channel, Completion done) override {
    Result<void> valid = check_names(group, channel);
    if (valid.ok()) discard(group, channel);
    if (done) asio::post(home_, [done = std::move(done), valid] { done(valid); });
  }

  void group_channels(const std::string&, ChannelsCompletion done) override {
    if (done)
      done(Error{Error::Kind::unsupported,
                 "on pub/sub the members of a group cannot be listed: Redis does not know them"});
  }

  void flush(Completion done) override {
    forget_memberships();
    for (const auto& [topic, group] : topic_groups_) subscriber(topic).unsubscribe(topic);
    topic_groups_.clear();
    for (auto& [name, channel] : channels_) channel.queue.clear();
    if (done) done({});
  }

  // The subscriptions end with their connections.
  void close(Completion done) override {
    flush({});
    asio::post(home_, [this, weak = weak_from_this(), done = std::move(done)] {
      if (const auto self = weak.lock()) {
        health_timer_.cancel();
        subscribers_.clear();
      }
      if (done) done({});
    });
  }

 private:
  std::string group_topic(const std::string& group) const {
    return options_.layer.prefix + "__group__" + group;
  }
  Subscriber& subscriber(const std::string& topic) {
    return *subscribers_[shard_of(topic, subscribers_.size())];
  }
  // Names made by new_channel() begin with the prefix, which may hold anything ("asgi:").
  Result<void> check_channel(std::string_view name) const {
    const std::string_view prefix = options_.layer.prefix;
    if (name.size() < 100 && name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
    return event::check_channel_name(name);
  }
  Result<void> check_names(const std::string& group, const std::string& channel) const {
    const Result<void> valid = event::check_group_name(group);
    return valid.ok() ? check_channel(channel) : valid;
  }
  bool is_wanted(const std::string& name) {
    const Channel* const channel = find(name);
    return channel != nullptr && (channel->listening || !channel->receivers.empty());
  }
  void unsubscribe_if_unwanted(const std::string& channel) {
    if (!is_wanted(channel) && !subscribers_.empty()) subscriber(channel).unsubscribe(channel);
  }

  // PUBLISH, after what was sent before, and after our own subscription of that topic, if it is under way:
  // who asked first to receive does receive.
  void publish(const std::string& topic, const std::string& map, Completion done) {
    auto write = [this, topic, payload = payload_.for_topic(map), done = std::move(done)] {
      commands_[shard_of(topic, commands_.size())]->command(
          {"PUBLISH", topic, payload}, [done](const Result<const redisReply*>& reply) {
            done(reply.ok() ? Result<void>() : Result<void>(reply.error()));
          });
    };
    if (!subscribers_.empty() && subscriber(topic).is_pending(topic))
      return subscriber(topic).subscribe(
          topic, [place = order_.reserve(), write = std::move(write)](const Result<void>&) { place(write); });
    order_.push(std::move(write));
  }

  void discard(const std::string& group, const std::string& channel) {
    if (!leave(group, channel) || find_group(group) != nullptr) return;
    topic_groups_.erase(group_topic(group));
    subscriber(group_topic(group)).unsubscribe(group_topic(group));
  }

  void take_back(const std::string& group, const std::string& channel, std::uint64_t number,
                 const Result<void>& why, const Completion& done) {
    const Group* const now = find_group(group);
    const auto member = now != nullptr ? now->channels.find(channel) : decltype(now->channels.end())();
    if (now != nullptr && member != now->channels.end() && member->second == number) discard(group, channel);
    done(why);
  }

  void on_message(const std::string& topic, std::string_view payload) {
    Result<Event> event = payload_.from_topic(payload);
    if (!event.ok()) {
      if (++counters_.poison == 1)
        spdlog::warn("a message was skipped, more are only counted: {}", event.error().message);
      return;
    }
    const Message message = std::make_shared<const Event>(std::move(event).value());
    if (const auto found = topic_groups_.find(topic); found != topic_groups_.end()) {
      if (Group* const group = find_group(found->second)) deliver_to_group(*group, message, Overflow::newest);
    } else if (find(topic) != nullptr) {
      deliver(topic, message, Overflow::newest);
      unsubscribe_if_unwanted(topic);
    }
  }

  void plan_health_check() {
    health_timer_.expires_after(kHealthCheck);
    health_timer_.async_wait([this, weak = weak_from_this()](const boost::system::error_code& code) {
      const auto self = weak.lock();
      if (code || !self) return;
      for (std::size_t i = 0; i < subscribers_.size(); ++i) subscribers_[i]->tick(*commands_[i]);
      plan_health_check();
    });
  }

  const std::string own_topic_;
  asio::steady_timer health_timer_;
  std::vector<std::unique_ptr<RedisConnection>> commands_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::unordered_map<std::string, std::string> topic_groups_;  // topic -> group with a member here
  SendOrder order_;
};

}  // namespace

std::shared_ptr<RedisPeer> make_redis_pubsub_peer(const RedisOptions& options, asio::io_context& home) {
  auto peer = std::make_shared<PubSubPeer>(options, home);
  peer->start();
  return peer;
}

}  // namespace roomcheck::channel_layer
