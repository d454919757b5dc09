// The core layer's plain queues: shared with other processes, one message at a time.
#include <boost/asio/post.hpp>

#include "libs/channel_layer/redis_core.h"
#include "libs/event/names.h"

namespace roomcheck::channel_layer {

namespace asio = boost::asio;

namespace {

// One message of a plain queue without waiting, and into the backup. KEYS: the queue, its backup.
constexpr const char* kTakeScript =
    "local hit = redis.call('ZPOPMIN', KEYS[1]) "
    "if #hit > 0 then redis.call('ZADD', KEYS[2], hit[2], hit[1]) end "
    "return hit";

// The way back. KEYS: the queue, its backup. ARGV: the message, the expiry in seconds.
constexpr const char* kPutBackScript =
    "local score = redis.call('ZSCORE', KEYS[2], ARGV[1]) "
    "if score then redis.call('ZADD', KEYS[1], score, ARGV[1]) redis.call('EXPIRE', KEYS[1], ARGV[2]) "
    "redis.call('ZREM', KEYS[2], ARGV[1]) end";

constexpr std::size_t kMostPlainQueues = 64;

}  // namespace

bool CorePeer::is_wanted(const std::string& name) {
  const Channel* const channel = find(name);
  return channel != nullptr && (channel->listening || !channel->receivers.empty());
}

// Looks once at each shard, then waits.
void CorePeer::try_plain(const std::string& name, std::size_t tried, Nanoseconds limit,
                         const ReceiverPtr& receiver) {
  if (tried == shards_.size()) {
    const std::string why = "nothing arrived on channel " + name + " within the time limit";
    if (limit <= Nanoseconds(0)) return answer(receiver, Error{Error::Kind::timeout, why}, home_);
    wait_for_message(name, limit, receiver, why, [this, name] { stop_reading_plain_if_unwanted(name); });
    if (const Result<void> reads = read_plain(name); !reads.ok()) {
      if (Channel* const channel = find(name)) channel->receivers.remove(receiver);
      answer(receiver, reads.error(), home_);
    }
    return;
  }
  const std::string key = queue_key(name);
  shards_[tried]->command({"EVAL", kTakeScript, "2", key, key + "$inflight"}, [this, name, tried, limit,
                                                                               receiver](const Reply& reply) {
    if (!reply.ok()) {
      ++counters_.failed;
      return answer(receiver, reply.error(), home_);
    }
    if ((*reply)->elements < 2) return try_plain(name, tried + 1, limit, receiver);
    const std::string member(text(*(*reply)->element[0])), score(text(*(*reply)->element[1]));
    const bool too_old = is_too_old(score);
    if (too_old) ++counters_.expired;
    Result<Incoming> incoming = too_old ? Result<Incoming>(Error{}) : open(member);
    if (!incoming.ok()) {
      shards_[tried]->command({"ZREM", queue_key(name) + "$inflight", member}, {});
      return try_plain(name, tried, limit, receiver);
    }
    hand_over_plain(name, tried, member, std::make_shared<const Event>(std::move(incoming->event)), receiver);
  });
}

Result<void> CorePeer::read_plain(const std::string& name) {
  PlainQueue& queue = plain_[name];
  queue.idle = 0;
  if (!queue.readers.empty()) {
    for (const auto& reader : queue.readers) reader->wake();
    return {};
  }
  if (plain_.size() > kMostPlainQueues) {
    plain_.erase(name);
    return Error{Error::Kind::full, "this process receives from " + std::to_string(kMostPlainQueues) +
                                        " plain channels already"};
  }
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    InboxReader::Events events;
    events.wanted = [this, name] { return is_wanted(name); };
    events.got = [this, name, i](std::string_view member, std::string_view score) {
      on_plain(name, i, member, score);
    };
    events.handed_over = [this](std::function<void()> next) { when_handled(std::move(next)); };
    events.abandoned = [this, name, i](const std::string& member) { put_back(name, i, member); };
    events.idle = [this, name] {
      // Not here and now: it is the reader that calls us.
      asio::post(home_, [this, weak = weak_from_this(), name] {
        const auto self = weak.lock();
        const auto found = self ? plain_.find(name) : plain_.end();
        if (!self || found == plain_.end() || is_wanted(name)) return;
        if (++found->second.idle >= found->second.readers.size()) plain_.erase(found);
      });
    };
    queue.readers.push_back(std::make_unique<InboxReader>(
        home_, options_.hosts[i], options_, InboxReader::Kind::plain, queue_key(name), std::move(events)));
    queue.readers.back()->start();
  }
  return {};
}

void CorePeer::stop_reading_plain_if_unwanted(const std::string& name) {
  const auto found = plain_.find(name);
  if (found == plain_.end() || is_wanted(name)) return;
  for (std::size_t i = 0; i < found->second.readers.size(); ++i) found->second.readers[i]->nudge(*shards_[i]);
}

void CorePeer::on_plain(const std::string& name, std::size_t shard, std::string_view member,
                        std::string_view score) {
  if (is_too_old(score)) {
    ++counters_.expired;
    return;
  }
  Result<Incoming> incoming = open(member);
  if (!incoming.ok()) return;
  const Message message = std::make_shared<const Event>(std::move(incoming->event));
  Channel* const channel = find(name);
  if (channel != nullptr && channel->listening) return deliver_to_listeners({channel->listening}, message);
  shards_[shard]->command({"ZADD", queue_key(name) + "$inflight", score, member}, {});
  const std::string kept(member);
  if (channel == nullptr || channel->receivers.empty()) return put_back(name, shard, kept);
  const ReceiverPtr receiver = channel->receivers.front();
  channel->receivers.pop_front();
  hand_over_plain(name, shard, kept, message, receiver);
  stop_reading_plain_if_unwanted(name);
}

void CorePeer::hand_over_plain(const std::string& name, std::size_t shard, const std::string& member,
                               const Message& message, const ReceiverPtr& receiver) {
  busy_loops_.insert(receiver->loop);
  answer(receiver, message, home_, [this, weak = weak_from_this(), name, shard, member](bool taken) {
    const auto self = weak.lock();
    if (!self) return;
    if (!taken) return put_back(name, shard, member);
    ++counters_.delivered;
    shards_[shard]->command({"ZREM", queue_key(name) + "$inflight", member}, {});
  });
}

void CorePeer::put_back(const std::string& name, std::size_t shard, const std::string& member) {
  const std::string key = queue_key(name);
  shards_[shard]->command({"EVAL", kPutBackScript, "2", key, key + "$inflight", member,
                           std::to_string(whole_seconds(options_.layer.expiry))},
                          {});
}

}  // namespace roomcheck::channel_layer
