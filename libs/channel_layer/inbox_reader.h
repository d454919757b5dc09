#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "libs/channel_layer/redis_connection.h"

namespace roomcheck::channel_layer {

// The blocking receive of one queue on one shard, on a connection of its own: BZPOPMIN again and again while
// somebody wants messages.
//
//   private inbox (name ends in '!')    ZPOPMIN 100 | BZPOPMIN 5         one write; nobody else reads the key
//   plain queue (shared by processes)   look at the backup | BZPOPMIN 5   one message at a time
//
// What is popped from a plain queue stands in `<key>$inflight` until it is handed over, as with Python. What
// a reader left there is put back when it has stood there for kAbandoned: Python puts it back at once, and so
// delivers twice what another process is about to hand over. A private inbox needs no backup: no one else may
// read it, and its messages are handed over in the same callback that received them.
//
// Thread: home loop.
class InboxReader {
 public:
  enum class Kind { private_inbox, plain };
  struct Events {
    std::function<bool()> wanted;
    std::function<void(std::string_view member, std::string_view score)> got;
    // Messages were handed over: calls `next` when their receivers have had them, so that no more than one
    // chunk is on its way inside this process.
    std::function<void(std::function<void()> next)> handed_over;
    std::function<void()> idle;                                // nobody wanted more
    std::function<void(const std::string& member)> abandoned;  // plain: to be put back from the backup
  };
  static constexpr int kChunk = 100;
  static constexpr std::chrono::seconds kBlock{5};
  static constexpr std::chrono::seconds kAbandoned{4};  // less than kBlock: seen at the next turn

  InboxReader(boost::asio::io_context& io, const RedisUrl& url, const RedisOptions& options, Kind kind,
              std::string key, Events events);

  void start();
  // Somebody wants messages (again).
  void wake() { next(); }
  // Nobody may want more: ends the blocking receive through `commands`, losing nothing.
  void nudge(RedisConnection& commands);

 private:
  void next();
  void on_popped(const redisReply& pairs);
  void on_backup(const redisReply& members);
  void fail(const Error& why);

  const Kind kind_;
  const std::string key_;
  const Events events_;
  RedisConnection connection_;
  boost::asio::steady_timer pause_;
  bool reading_ = false;
  std::map<std::string, std::chrono::steady_clock::time_point> backup_;  // first seen when
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace roomcheck::channel_layer
