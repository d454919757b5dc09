#include "libs/channel_layer/inbox_reader.h"

#include <spdlog/spdlog.h>

namespace roomcheck::channel_layer {
InboxReader::InboxReader(boost::asio::io_context& io, const RedisUrl& url, const RedisOptions& options,
                         Kind kind, std::string key, Events events)
    : kind_(kind),
      key_(std::move(key)),
      events_(std::move(events)),
      connection_(io, url, options.connect_timeout, options.operation_timeout,
                  {[this] { next(); }, [this] { reading_ = false; }, {}}),
      pause_(io) {}

void InboxReader::start() { connection_.start(); }

void InboxReader::nudge(RedisConnection& commands) {
  if (!reading_ || !connection_.ready()) return next();
  commands.command(Command{"CLIENT", "UNBLOCK", std::to_string(connection_.client_id())}, {});
}

void InboxReader::next() {
  if (!connection_.ready() || reading_) return;
  if (!events_.wanted()) return events_.idle();
  reading_ = true;
  if (kind_ == Kind::private_inbox) {
    connection_.command(Command{"ZPOPMIN", key_, std::to_string(kChunk)},
                        [this](const Result<const redisReply*>& reply) {
                          if (reply.ok()) on_popped(**reply);
                        });
  } else {
    connection_.command(Command{"ZRANGE", key_ + "$inflight", "0", std::to_string(kChunk - 1)},
                        [this](const Result<const redisReply*>& reply) {
                          if (reply.ok()) on_backup(**reply);
                        });
  }
  connection_.command(
      Command{"BZPOPMIN", key_, std::to_string(kBlock.count())},
      [this](const Result<const redisReply*>& reply) {
        if (!reply.ok()) return fail(reply.error());
        const redisReply& hit = **reply;
        if (hit.type == REDIS_REPLY_ARRAY && hit.elements == 3)
          events_.got({hit.element[1]->str, hit.element[1]->len}, {hit.element[2]->str, hit.element[2]->len});
        events_.handed_over([this, alive = std::weak_ptr<bool>(alive_)] {
          if (alive.expired()) return;
          reading_ = false;
          next();
        });
      },
      kBlock);
}

void InboxReader::on_popped(const redisReply& pairs) {
  for (std::size_t i = 0; i + 1 < pairs.elements; i += 2)
    events_.got({pairs.element[i]->str, pairs.element[i]->len},
                {pairs.element[i + 1]->str, pairs.element[i + 1]->len});
}

void InboxReader::on_backup(const redisReply& members) {
  const auto now = std::chrono::steady_clock::now();
  auto before = std::exchange(backup_, {});
  for (std::size_t i = 0; i < members.elements; ++i) {
    const std::string member(members.element[i]->str, members.element[i]->len);
    const auto seen = before.find(member);
    if (seen == before.end() || now - seen->second < kAbandoned) {
      backup_[member] = seen == before.end() ? now : seen->second;
    } else {
      events_.abandoned(member);
    }
  }
}

// A lost connection comes back by itself; what Redis refuses (a key of another type) is tried again calmly.
void InboxReader::fail(const Error& why) {
  if (why.kind != Error::Kind::refused) return;
  spdlog::warn("cannot receive from {}: {}", key_, why.message);
  pause_.expires_after(std::chrono::seconds(1));
  pause_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& code) {
    if (code || alive.expired()) return;
    reading_ = false;
    next();
  });
}

}  // namespace roomcheck::channel_layer
