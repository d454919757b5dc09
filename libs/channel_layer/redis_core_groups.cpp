// The core layer's memberships, and what it leaves in Redis.
#include <algorithm>
#include <boost/asio/post.hpp>

#include "libs/channel_layer/prefix_keys.h"
#include "libs/channel_layer/redis_core.h"
#include "libs/event/names.h"

namespace roomcheck::channel_layer {

namespace asio = boost::asio;

void CorePeer::add_members(RedisConnection& shard, const std::string& group,
                           const std::vector<std::string>& names, const Completion& done) {
  const std::string key = group_key(group), score = decimal(seconds());
  const std::size_t commands = (names.size() + kNamesACommand - 1) / kNamesACommand + 1;
  const auto several = std::make_shared<Several>(Several{commands, {}, done});
  for (std::size_t i = 0; i < names.size(); i += kNamesACommand) {
    Command command{"ZADD", key};
    for (std::size_t k = i; k < std::min(names.size(), i + kNamesACommand); ++k)
      command.add(score).add(names[k]);
    shard.command(command, each_of(several));
  }
  shard.command({"EXPIRE", key, std::to_string(whole_seconds(options_.layer.group_expiry))},
                each_of(several));
}

void CorePeer::remove_members(RedisConnection& shard, const std::string& group,
                              const std::vector<std::string>& names, const Completion& done) {
  const std::size_t commands = (names.size() + kNamesACommand - 1) / kNamesACommand;
  const auto several = std::make_shared<Several>(Several{commands, {}, done});
  for (std::size_t i = 0; i < names.size(); i += kNamesACommand) {
    Command command{"ZREM", group_key(group)};
    for (std::size_t k = i; k < std::min(names.size(), i + kNamesACommand); ++k) command.add(names[k]);
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
        const std::size_t commands = (ours.size() + kNamesACommand - 1) / kNamesACommand;
        const auto several = std::make_shared<Several>(Several{commands, {}, done});
        for (std::size_t at = 0; at < ours.size(); at += kNamesACommand) {
          Command command{"DEL"};
          for (std::size_t k = at; k < std::min(ours.size(), at + kNamesACommand); ++k) command.add(ours[k]);
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

}  // namespace roomcheck::channel_layer
