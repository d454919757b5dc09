#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libs/channel_layer/redis_connection.h"

namespace roomcheck::channel_layer {

// The blocking receive of one queue on one shard, on a connection of its own: BZPOPMIN again and again while
// somebody wants messages.
//
//   private inbox (name ends in '!')    ZPOPMIN 100 | BZPOPMIN 5         one write; nobody else reads the key
//   plain queue (shared by processes)   restore | BZPOPMIN 5 | backup    one message at a time
//
// A plain queue is read as Python reads it: what is popped goes to `<key>$inflight` until it is handed over,
// and what a reader left there is put back first. A private inbox needs no backup: no one else may read it,
// and its messages are handed over in the same callback that received them.
//
// Thread: home loop.
class InboxReader {
 public:
  enum class Kind { private_inbox, plain };
  struct Events {
    std::function<bool()> wanted;
    std::function<bool()>
        may_restore;  // plain queues: nobody here holds a message whose backup is still there
    std::function<void(std::string_view member, std::string_view score)> got;
    // Messages were handed over: calls `next` when their receivers have had them, so that no more than one
    // chunk is on its way inside this process.
    std::function<void(std::function<void()> next)> handed_over;
    std::function<void()> idle;  // nobody wanted more
  };
  static constexpr int kChunk = 100;
  static constexpr std::chrono::seconds kBlock{5};

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
  void fail(const Error& why);

  const Kind kind_;
  const std::string key_;
  const Events events_;
  RedisConnection connection_;
  boost::asio::steady_timer pause_;
  bool reading_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace roomcheck::channel_layer
