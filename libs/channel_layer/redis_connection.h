#pragma once
#include <hiredis/hiredis.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/result.h"
#include "libs/channel_layer/backoff.h"
#include "libs/channel_layer/redis.h"

struct redisAsyncContext;

namespace roomcheck::channel_layer {

// A Redis command being written, binary-safe.
class Command {
 public:
  Command(std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words) add(word);
  }
  Command& add(std::string_view word);
  Command& add(std::uint64_t number) { return add(std::to_string(number)); }
  std::string wire() const;  // RESP2

 private:
  std::size_t words_ = 0;
  std::string body_;
};

// One connection to one Redis server, that comes back whenever it is lost: a bounded, jittered back-off
// without end. Commands are pipelined; each is answered exactly once: with Redis' reply, with its error reply
// (Kind::refused), or with an Error when the connection is lost or the time is over (Kind::closed, timeout).
// What was written when the connection was lost may or may not have happened; it is never sent again.
//
// Thread:   one, that of `io`. Callbacks run from the loop, except as said; they may destroy the connection.
// Capacity: kMostWaiting commands wait while there is no connection, kMostPending for their replies, each for
//           its own time limit; beyond it they fail (Kind::full).
class RedisConnection {
 public:
  static constexpr std::size_t kMostWaiting = 10000;
  static constexpr std::size_t kMostPending = 100000;

  struct Events {
    // Connected and authenticated. What is commanded in here goes before everything that waited.
    std::function<void()> ready;
    std::function<void()> lost;                     // after it was ready; it comes back by itself
    std::function<void(const redisReply&)> pushed;  // what subscriptions bring, their confirmations included
  };
  // `reply` is valid during the call only.
  using OnReply = std::function<void(const Result<const redisReply*>& reply)>;

  RedisConnection(boost::asio::io_context& io, const RedisUrl& url, Nanoseconds connect_timeout,
                  Nanoseconds command_timeout, Events events);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  void start();
  bool ready() const { return state_ == State::ready; }
  const RedisUrl& url() const { return url_; }
  std::uint64_t client_id() const { return client_id_; }  // CLIENT ID; 0 when Redis does not tell

  // `extra`: how much longer than the command timeout Redis may take (blocking commands).
  // Never calls `done` before it returns.
  void command(const Command& command, OnReply done, Nanoseconds extra = Nanoseconds(0));

  // Only while ready; confirmations and messages come to Events::pushed.
  // REQUIRES: unsubscribe only what was subscribed on this connection (hiredis 0.14 aborts otherwise).
  void subscribe(const std::string& topic);
  void unsubscribe(const std::string& topic);

  // Gives the connection up and comes back, because the caller knows that it is dead.
  void reconnect(const std::string& why);

 private:
  enum class State { idle, connecting, greeting, ready, waiting };
  struct Pending {
    std::chrono::steady_clock::time_point deadline;
    OnReply done;
  };
  struct Waiting {
    std::chrono::steady_clock::time_point deadline;
    Nanoseconds extra;
    std::string wire;
    OnReply done;
  };

  void connect();
  void open(const std::string& address);
  void greet();
  void write(const std::string& wire, OnReply done, Nanoseconds extra);
  void on_reply(const redisReply* reply);
  void on_connected(int status);
  void drop(const Error& why);  // everything pending fails; the next attempt is planned
  void release();
  void fail_what_is_late();
  void plan_check();
  Error error(Error::Kind kind, const std::string& why) const;

  // Constant after construction.
  boost::asio::io_context& io_;
  const RedisUrl url_;
  const Nanoseconds connect_timeout_, command_timeout_;
  const Events events_;

  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::steady_timer retry_timer_, check_timer_;
  Backoff backoff_;
  std::string last_failure_;
  bool failed_before_ = false;         // since it was last ready
  std::deque<std::string> addresses_;  // of the host, still to be tried
  State state_ = State::idle;
  std::chrono::steady_clock::time_point connect_deadline_;
  redisAsyncContext* context_ = nullptr;
  std::deque<Pending> pending_;  // written, in the order of their replies
  std::deque<Waiting> waiting_;  // for a connection
  std::uint64_t client_id_ = 0;
  bool check_planned_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // gone with the connection
};

}  // namespace roomcheck::channel_layer
