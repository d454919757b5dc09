#include "libs/channel_layer/redis_core.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>

#include "libs/event/names.h"

namespace roomcheck::channel_layer {

namespace asio = boost::asio;

namespace {

// Stores messages for any number of queues of one shard, as Python's four commands do for each: forget what
// is too old, refuse what is over capacity, add, keep the key alive. Answers the numbers of the full queues.
// ARGV: a message each, a capacity each, then now, the oldest score that stays, the expiry in seconds.
constexpr const char* kStoreScript =
    "local full = {} local n = #KEYS "
    "for i = 1, n do local key = KEYS[i] "
    "redis.call('ZREMRANGEBYSCORE', key, 0, ARGV[2 * n + 2]) "
    "if redis.call('ZCOUNT', key, '-inf', '+inf') < tonumber(ARGV[n + i]) then "
    "redis.call('ZADD', key, ARGV[2 * n + 1], ARGV[i]) redis.call('EXPIRE', key, ARGV[2 * n + 3]) "
    "else full[#full + 1] = i end end "
    "return full";

// The outcome of a group_send over all its shards.
struct GroupSending {
  GroupSendReport report;
  std::size_t missing = 0;
  std::optional<Error> error;
  ChannelLayer::GroupSendCompletion done;
};

}  // namespace

// ---- time

// Scores of one process grow strictly, so that its messages keep their order.
double CorePeer::next_score() {
  last_score_ = std::max(seconds(), last_score_ + 1e-6);
  return last_score_;
}

bool CorePeer::is_too_old(std::string_view score) const {
  double sent = 0;
  std::from_chars(score.data(), score.data() + score.size(), sent);
  return sent < seconds() - seconds_of(options_.layer.expiry);
}

// ---- sending

void CorePeer::store(std::size_t shard, const std::vector<Parcel>& parcels,
                     std::function<void(const Reply&)> done) {
  Command command{"EVAL", kStoreScript};
  command.add(parcels.size());
  for (const Parcel& parcel : parcels) command.add(parcel.key);
  for (const Parcel& parcel : parcels) command.add(parcel.member);
  for (const Parcel& parcel : parcels) command.add(parcel.capacity);
  command.add(decimal(next_score()))
      .add(oldest(options_.layer.expiry))
      .add(whole_seconds(options_.layer.expiry));
  shards_[shard]->command(command, std::move(done));
}

void CorePeer::send(const std::string& channel, const std::string& map, Completion done) {
  if (const Result<void> valid = event::check_channel_name(channel); !valid.ok())
    return done ? done(valid) : void();
  ++counters_.sent;
  const bool plain = channel.find('!') == channel.npos;
  const std::size_t shard = plain ? next_plain_shard_++ % shards_.size()
                                  // Not of the full name, as Python: nobody listens there.
                                  : shard_of(non_local(channel), shards_.size());
  Parcel parcel{queue_key(channel), plain ? payload_.for_plain(map) : payload_.for_channel(map, channel),
                options_.layer.capacity_of(channel), 1};
  order_.push([this, shard, channel, parcel = std::move(parcel), done = counted(std::move(done))] {
    store(shard, {parcel}, [channel, done](const Reply& reply) {
      if (!reply.ok()) return done(reply.error());
      if ((*reply)->elements > 0) return done(Error{Error::Kind::full, "channel full: " + channel});
      done({});
    });
  });
}

std::map<std::size_t, std::vector<Parcel>> CorePeer::parcels_for(const redisReply& names,
                                                                 const std::string& map,
                                                                 GroupSendReport& report) {
  std::map<std::string_view, std::vector<std::string_view>> by_queue;  // non-local part -> names
  for (std::size_t i = 0; i < names.elements; ++i) {
    const std::string_view name = text(*names.element[i]);
    if (event::check_channel_name(name).ok()) by_queue[non_local(name)].push_back(name);
  }
  std::map<std::size_t, std::vector<Parcel>> out;
  for (const auto& [queue, channels] : by_queue) {
    std::uint64_t members = 0;
    for (const std::string_view channel : channels) {
      const auto entry = entry_group_.find(std::string(channel));
      const Group* const group = entry == entry_group_.end() ? nullptr : find_group(entry->second);
      members += group != nullptr ? group->channels.size() : 1;
    }
    report.members += members;
    out[shard_of(queue, shards_.size())].push_back({options_.layer.prefix + std::string(queue),
                                                    payload_.for_channels(map, channels),
                                                    options_.layer.capacity_of(channels.front()), members});
  }
  return out;
}

void CorePeer::group_send(const std::string& group, std::string map, GroupSendCompletion done) {
  if (const Result<void> valid = event::check_group_name(group); !valid.ok())
    return done ? done(valid.error()) : void();
  ++counters_.group_sent;
  renew_if_due();
  const auto sending = std::make_shared<GroupSending>();
  sending->done = [this, done = std::move(done)](Result<GroupSendReport> result) {
    if (!result.ok() && is_redis_failure(result.error())) ++counters_.failed;
    if (result.ok()) counters_.dropped += result->dropped;
    if (done) done(std::move(result));
  };
  RedisConnection& shard = shard_of_group(group);
  shard.command({"ZREMRANGEBYSCORE", group_key(group), "0", oldest(options_.layer.group_expiry)}, {});
  shard.command({"ZRANGE", group_key(group), "0", "-1"}, [this, sending, map = std::move(map),
                                                          place = order_.reserve()](const Reply& names) {
    if (!names.ok()) {
      place({});
      return sending->done(names.error());
    }
    auto by_shard = parcels_for(**names, map, sending->report);
    sending->missing = by_shard.size();
    if (by_shard.empty()) {
      place({});
      return sending->done(sending->report);
    }
    place([this, sending, by_shard = std::move(by_shard)] {
      for (const auto& [index, parcels] : by_shard)
        store(index, parcels, [sending, parcels = parcels](const Reply& full) {
          if (!full.ok()) {
            sending->error = full.error();
          } else {
            for (std::size_t i = 0; i < (*full)->elements; ++i)
              sending->report.dropped +=
                  parcels.at(static_cast<std::size_t>((*full)->element[i]->integer) - 1).channels;
          }
          if (--sending->missing > 0) return;
          sending->done(sending->error ? Result<GroupSendReport>(*sending->error)
                                       : Result<GroupSendReport>(sending->report));
        });
    });
  });
}

// ---- receiving

Result<Incoming> CorePeer::open(std::string_view member) {
  Result<Incoming> incoming = payload_.from_queue(member);
  if (incoming.ok()) return incoming;
  if (++counters_.poison == 1) {
    spdlog::warn("a message was skipped, more are only counted: {}", incoming.error().message);
  } else {
    spdlog::debug("a message was skipped: {}", incoming.error().message);
  }
  return incoming;
}

// Calls `next` once every loop that was given messages has handled them.
void CorePeer::when_handled(std::function<void()> next) {
  const std::set<LoopPtr> loops = std::exchange(busy_loops_, {});
  if (loops.empty()) return next();
  const auto missing = std::make_shared<std::size_t>(loops.size());
  for (const LoopPtr& loop : loops)
    asio::post(loop->io, [&home = home_, missing, next] {
      asio::post(home, [missing, next] {
        if (--*missing == 0) next();
      });
    });
}

void CorePeer::read_inbox_of(const std::string& channel) {
  const std::string head(non_local(channel));
  auto& readers = inboxes_[head];
  if (!readers.empty() || closed_) return;
  // On every shard: Python's direct sends arrive at any of them.
  for (const RedisUrl& host : options_.hosts) {
    InboxReader::Events events;
    events.wanted = [] { return true; };
    events.got = [this](std::string_view member, std::string_view score) { on_private(member, score); };
    events.handed_over = [this](std::function<void()> next) { when_handled(std::move(next)); };
    readers.push_back(std::make_unique<InboxReader>(home_, host, options_, InboxReader::Kind::private_inbox,
                                                    queue_key(head), std::move(events)));
    readers.back()->start();
  }
}

void CorePeer::on_private(std::string_view member, std::string_view score) {
  if (is_too_old(score)) {
    ++counters_.expired;
    return;
  }
  Result<Incoming> incoming = open(member);
  if (!incoming.ok()) return;
  const std::vector<std::string_view>& names = incoming->channels;
  if (names.empty() ||
      !std::all_of(names.begin(), names.end(), [this](std::string_view n) { return is_own(n); })) {
    ++counters_.poison;
    return;
  }
  const Message message = std::make_shared<const Event>(std::move(incoming->event));
  std::vector<ListeningPtr> listening;
  std::string name;
  for (const std::string_view one : names) {
    name = one;
    if (const auto entry = entry_group_.find(name); entry != entry_group_.end()) {
      if (Group* const group = find_group(entry->second)) deliver_to_group(*group, message, Overflow::oldest);
      continue;
    }
    const Channel* const channel = find(name);
    if (channel != nullptr && channel->listening) {
      listening.push_back(channel->listening);
    } else {
      deliver(name, message, Overflow::oldest);
    }
  }
  if (!listening.empty()) deliver_to_listeners(listening, message);
}

void CorePeer::listen(const std::string& channel, const ListeningPtr& listening, Completion done) {
  Result<void> result = event::check_channel_name(channel);
  const bool plain = channel.find('!') == channel.npos;
  if (result.ok() && !plain && !is_own(channel))
    result = Error{Error::Kind::bad_input, "channel " + channel + " belongs to another process"};
  // Nothing that was taken from Redis is dropped for a listener: the reader waits for him instead.
  listening->capacity = UINT64_MAX;
  if (result.ok() && !start_listening(channel, listening))
    result = Error{Error::Kind::bad_input, "channel " + channel + " has a listener already"};
  if (result.ok() && !plain) read_inbox_of(channel);
  if (result.ok() && plain) result = read_plain(channel);
  if (done) done(result);
}

void CorePeer::unlisten(const std::string& channel, const ListeningPtr& listening) {
  stop_listening(channel, listening);
  stop_reading_plain_if_unwanted(channel);
}

void CorePeer::receive(const std::string& channel, Nanoseconds limit, ReceiverPtr receiver) {
  Result<void> valid = event::check_channel_name(channel);
  const bool plain = channel.find('!') == channel.npos;
  if (valid.ok() && !plain && !is_own(channel))
    valid = Error{Error::Kind::bad_input, "channel " + channel + " belongs to another process"};
  if (!valid.ok()) return answer(receiver, valid.error(), home_);
  if (plain) return try_plain(channel, 0, limit, receiver);
  read_inbox_of(channel);
  wait_for_message(channel, limit, receiver,
                   "nothing arrived on channel " + channel + " within the time limit", {});
}

std::shared_ptr<RedisPeer> make_redis_peer(const RedisOptions& options, asio::io_context& home) {
  auto peer = std::make_shared<CorePeer>(options, home);
  peer->start();
  return peer;
}

}  // namespace roomcheck::channel_layer
