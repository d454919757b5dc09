// The layer of channels_redis `core`, for a whole process. Names, keys and payloads are Python's; see
// docs/REDIS.md for them.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>
#include <cmath>
#include <map>

#include "libs/channel_layer/inbox_reader.h"
#include "libs/channel_layer/prefix_keys.h"
#include "libs/channel_layer/redis_connection.h"
#include "libs/channel_layer/redis_peer.h"
#include "libs/channel_layer/send_order.h"
#include "libs/channel_layer/shards.h"
#include "libs/event/names.h"

namespace roomcheck::channel_layer {
namespace {

namespace asio = boost::asio;
using Reply = Result<const redisReply*>;

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

constexpr std::size_t kMembersACommand = 500;
constexpr std::size_t kMostPlainQueues = 64;

std::string decimal(double number) {
  char out[64];
  return {out, std::to_chars(out, out + sizeof out, number, std::chars_format::fixed).ptr};
}

std::uint64_t whole_seconds(Nanoseconds duration) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

double seconds_of(Nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

std::string_view text(const redisReply& reply) {
  return reply.str != nullptr ? std::string_view(reply.str, reply.len) : std::string_view();
}

// What is to be stored in one queue.
struct Parcel {
  std::string key;
  std::string member;
  std::uint64_t capacity = 0;
  std::uint64_t channels = 0;  // that lose the message when the queue is full
};

// The outcome of a group_send over all its shards.
struct GroupSending {
  GroupSendReport report;
  std::size_t missing = 0;
  std::optional<Error> error;
  ChannelLayer::GroupSendCompletion done;
};

class CorePeer final : public RedisPeer {
 public:
  CorePeer(const RedisOptions& options, asio::io_context& home)
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
  asio::steady_timer renewal_timer_;

  std::unordered_map<std::string, std::vector<std::unique_ptr<InboxReader>>> inboxes_;  // by non-local part
  std::unordered_map<std::string, PlainQueue> plain_;
};

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

// ---- memberships

// Several commands, one answer: the first error, or success.
struct Several {
  std::size_t missing;
  Result<void> result;
  ChannelLayer::Completion done;
};

std::function<void(const Reply&)> each_of(const std::shared_ptr<Several>& several) {
  return [several](const Reply& reply) {
    if (!reply.ok() && several->result.ok()) several->result = reply.error();
    if (--several->missing == 0 && several->done) several->done(several->result);
  };
}

void CorePeer::add_members(RedisConnection& shard, const std::string& group,
                           const std::vector<std::string>& names, const Completion& done) {
  const std::string key = group_key(group), score = decimal(seconds());
  const std::size_t commands = (names.size() + kMembersACommand - 1) / kMembersACommand + 1;
  const auto several = std::make_shared<Several>(Several{commands, {}, done});
  for (std::size_t i = 0; i < names.size(); i += kMembersACommand) {
    Command command{"ZADD", key};
    for (std::size_t k = i; k < std::min(names.size(), i + kMembersACommand); ++k)
      command.add(score).add(names[k]);
    shard.command(command, each_of(several));
  }
  shard.command({"EXPIRE", key, std::to_string(whole_seconds(options_.layer.group_expiry))},
                each_of(several));
}

void CorePeer::remove_members(RedisConnection& shard, const std::string& group,
                              const std::vector<std::string>& names, const Completion& done) {
  const std::size_t commands = (names.size() + kMembersACommand - 1) / kMembersACommand;
  const auto several = std::make_shared<Several>(Several{commands, {}, done});
  for (std::size_t i = 0; i < names.size(); i += kMembersACommand) {
    Command command{"ZREM", group_key(group)};
    for (std::size_t k = i; k < std::min(names.size(), i + kMembersACommand); ++k) command.add(names[k]);
    shard.command(command, each_of(several));
  }
}

std::vector<std::string> CorePeer::entries_of(const Group& group) const {
  if (!group.entry.empty()) return {group.entry};
  std::vector<std::string> out;
  for (const auto& [channel, number] : group.channels) out.push_back(channel);
  return out;
}

// Per node, the name that stands for all members here; else the channel itself.
const std::string& CorePeer::entry_for(const std::string& group, const std::string& channel) {
  if (options_.members == RedisMembers::per_connection) return channel;
  Group& entry = *find_group(group);
  if (entry.entry.empty()) {
    entry.entry = "specific." + id_ + "!" + random_hex();
    entry_group_[entry.entry] = group;
  }
  return entry.entry;
}

void CorePeer::group_add(const std::string& group, const std::string& channel, Completion done) {
  done = counted(std::move(done));
  Result<void> valid = event::check_group_name(group);
  if (valid.ok()) valid = event::check_channel_name(channel);
  if (!valid.ok()) return done(valid);
  RedisConnection& shard = shard_of_group(group);
  if (!is_own(channel)) return add_members(shard, group, {channel}, done);

  read_inbox_of(channel);
  const std::uint64_t number = join(group, channel);
  const std::string entry = entry_for(group, channel);
  read_inbox_of(entry);
  if (const auto left = departed_.find(group); left != departed_.end()) left->second.erase(entry);
  add_members(shard, group, {entry}, [this, group, channel, number, done](const Result<void>& added) {
    const Group* const now = find_group(group);
    const bool unchanged =
        now != nullptr && now->channels.count(channel) != 0 && now->channels.at(channel) == number;
    // It may be in Redis all the same: taken back as soon as Redis can be reached.
    if (!added.ok() && unchanged) group_discard(group, channel, {});
    done(added);
  });
}

void CorePeer::group_discard(const std::string& group, const std::string& channel, Completion done) {
  done = counted(std::move(done));
  Result<void> valid = event::check_group_name(group);
  if (valid.ok()) valid = event::check_channel_name(channel);
  if (!valid.ok()) return done(valid);
  RedisConnection& shard = shard_of_group(group);
  std::string entry = channel;
  if (is_own(channel)) {
    const Group* const before = find_group(group);
    const std::string node_entry = before != nullptr ? before->entry : "";
    leave(group, channel);
    if (!node_entry.empty()) {
      if (find_group(group) != nullptr) {  // others of this node stay
        asio::post(home_, [done] { done({}); });
        return;
      }
      entry_group_.erase(node_entry);
      entry = node_entry;
    }
    departed_[group].insert(entry);
  }
  remove_members(shard, group, {entry}, [this, group, entry, done](const Result<void>& removed) {
    if (removed.ok())
      if (const auto left = departed_.find(group); left != departed_.end()) {
        left->second.erase(entry);
        if (left->second.empty()) departed_.erase(left);
      }
    done(removed);
  });
}

// After every (re)connection: Redis may have forgotten everything, or may still hold what we left meanwhile.
void CorePeer::restore_memberships(std::size_t shard) {
  for (const auto& [name, group] : groups_)
    if (shard_of(name, shards_.size()) == shard) add_members(*shards_[shard], name, entries_of(group), {});
  for (const auto& [name, gone] : departed_) {
    if (shard_of(name, shards_.size()) != shard) continue;
    remove_members(*shards_[shard], name, {gone.begin(), gone.end()},
                   [this, name = name, gone = gone](const Result<void>& removed) {
                     const auto left = departed_.find(name);
                     if (!removed.ok() || left == departed_.end()) return;
                     for (const std::string& entry : gone) left->second.erase(entry);
                     if (left->second.empty()) departed_.erase(left);
                   });
  }
}

// Python forgets a socket that stays longer than group_expiry; we renew at a quarter of it
// (layer.membership-renewed).
void CorePeer::renew_if_due() {
  if (now() - renewed_at_ < options_.layer.group_expiry / 4) return;
  renewed_at_ = now();
  for (std::size_t i = 0; i < shards_.size(); ++i)
    if (shards_[i]->ready()) restore_memberships(i);
}

void CorePeer::plan_renewal() {
  renewal_timer_.expires_after(
      std::min<Nanoseconds>(options_.layer.group_expiry / 8, std::chrono::minutes(1)));
  renewal_timer_.async_wait([this, weak = weak_from_this()](const boost::system::error_code& code) {
    const auto self = weak.lock();
    if (code || !self || closed_) return;
    renew_if_due();
    plan_renewal();
  });
}

void CorePeer::group_channels(const std::string& group, ChannelsCompletion done) {
  if (!done) return;
  if (const Result<void> valid = event::check_group_name(group); !valid.ok()) return done(valid.error());
  renew_if_due();
  shard_of_group(group).command(
      {"ZRANGEBYSCORE", group_key(group), "(" + oldest(options_.layer.group_expiry), "+inf"},
      [this, done = std::move(done)](const Reply& reply) {
        if (!reply.ok()) {
          ++counters_.failed;
          return done(reply.error());
        }
        std::vector<std::string> out;
        for (std::size_t i = 0; i < (*reply)->elements; ++i) {
          const std::string name(text(*(*reply)->element[i]));
          const auto entry = entry_group_.find(name);
          const Group* const own = entry == entry_group_.end() ? nullptr : find_group(entry->second);
          if (own == nullptr) {
            out.push_back(name);
            continue;
          }
          for (const auto& [channel, number] : own->channels) out.push_back(channel);
        }
        done(std::move(out));
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

// ---- plain queues: shared with other processes, one message at a time

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

// ---- the end

void CorePeer::scan(std::size_t shard, const std::string& cursor,
                    std::shared_ptr<std::vector<std::string>> keys, const Completion& done) {
  shards_[shard]->command(
      {"SCAN", cursor, "MATCH", begins_with(options_.layer.prefix), "COUNT", "1000", "TYPE", "zset"},
      [this, shard, keys, done](const Reply& reply) {
        if (!reply.ok()) return done(reply.error());
        const redisReply& found = *(*reply)->element[1];
        for (std::size_t i = 0; i < found.elements; ++i) keys->emplace_back(text(*found.element[i]));
        if (const std::string next(text(*(*reply)->element[0])); next != "0")
          return scan(shard, next, keys, done);
        const std::vector<std::string> ours = keys_of_prefix(options_.layer.prefix, *keys);
        if (ours.empty()) return done({});
        const std::size_t commands = (ours.size() + kMembersACommand - 1) / kMembersACommand;
        const auto several = std::make_shared<Several>(Several{commands, {}, done});
        for (std::size_t at = 0; at < ours.size(); at += kMembersACommand) {
          Command command{"DEL"};
          for (std::size_t k = at; k < std::min(ours.size(), at + kMembersACommand); ++k)
            command.add(ours[k]);
          shards_[shard]->command(command, each_of(several));
        }
      });
}

void CorePeer::flush(Completion done) {
  forget_memberships();
  entry_group_.clear();
  departed_.clear();
  for (auto& [name, channel] : channels_) channel.queue.clear();
  const auto several = std::make_shared<Several>(Several{shards_.size(), {}, counted(std::move(done))});
  for (std::size_t i = 0; i < shards_.size(); ++i)
    scan(i, "0", std::make_shared<std::vector<std::string>>(), [several](const Result<void>& result) {
      if (!result.ok()) several->result = result;
      if (--several->missing == 0) several->done(several->result);
    });
}

void CorePeer::close(Completion done) {
  closed_ = true;
  const auto several = std::make_shared<Several>(Several{1, {}, std::move(done)});
  const auto one_of = [&several] {
    ++several->missing;
    return [several](const Result<void>& result) {
      if (!result.ok()) several->result = result;
      if (--several->missing == 0 && several->done) several->done(several->result);
    };
  };
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (!shards_[i]->ready()) continue;  // Redis is away: nobody can be told
    ++several->missing;                  // its answer comes after those of all that was written before
    shards_[i]->command({"PING"}, each_of(several));
    for (const auto& [name, group] : groups_)
      if (shard_of(name, shards_.size()) == i) remove_members(*shards_[i], name, entries_of(group), one_of());
    for (const auto& [head, readers] : inboxes_)
      shards_[i]->command({"DEL", queue_key(head)}, each_of(several)), ++several->missing;
  }
  inboxes_.clear();
  forget_memberships();
  asio::post(home_, [several] {
    if (--several->missing == 0 && several->done) several->done(several->result);
  });
}

}  // namespace

std::shared_ptr<RedisPeer> make_redis_peer(const RedisOptions& options, asio::io_context& home) {
  auto peer = std::make_shared<CorePeer>(options, home);
  peer->start();
  return peer;
}

}  // namespace roomcheck::channel_layer
