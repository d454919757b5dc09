#pragma once
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libs/channel_layer/redis_connection.h"

namespace roomcheck::channel_layer {

// The subscriptions of this process on one shard, on a connection of its own. After a loss everything wanted
// is subscribed again; what was published meanwhile is lost.
//
//          subscribe            confirmed
//   none -------------> asked ------------> subscribed
//    ^                                          | unsubscribe
//    +-------------- leaving <------------------+
//         confirmed          (a SUBSCRIBE waits for the confirmation: hiredis 0.14 mixes them up)
//
// A subscribed connection cannot be pinged (hiredis 0.14 never answers), so it listens to a topic of its own,
// to which tick() publishes through `commands`.
//
// Thread: home loop. Capacity: as many subscriptions as the caller wants.
class Subscriber {
 public:
  using Completion = std::function<void(Result<void>)>;
  using OnMessage = std::function<void(const std::string& topic, std::string_view payload)>;

  Subscriber(boost::asio::io_context& io, const RedisUrl& url, const RedisOptions& options,
             std::string own_topic, OnMessage on_message, std::function<void()> lost);

  void start() { connection_.start(); }
  // `done`: Redis has confirmed it, or has not within the operation timeout; it is wanted all the same.
  void subscribe(const std::string& topic, Completion done);
  void unsubscribe(const std::string& topic);
  bool is_pending(const std::string& topic) const;  // wanted, not confirmed yet
  // Every few seconds: ends what waits too long; finds out whether the connection is alive.
  void tick(RedisConnection& commands);

 private:
  enum class State { none, asked, subscribed, leaving };
  struct Waiting {
    std::chrono::steady_clock::time_point deadline;
    Completion done;
  };
  struct Topic {
    State state = State::none;
    bool wanted = false;
    std::list<Waiting> waiting;
  };

  void on_ready();
  void on_lost();
  void on_pushed(const redisReply& push);
  void ask(const std::string& name, Topic& topic);
  static void answer(std::list<Waiting> waiting, const Result<void>& result);
  void fail_what_is_late();
  void plan_check();

  const std::string own_topic_;
  const OnMessage on_message_;
  const std::function<void()> lost_;
  const Nanoseconds timeout_;
  RedisConnection connection_;
  boost::asio::steady_timer check_timer_;
  std::map<std::string, Topic, std::less<>> topics_;
  bool echo_is_due_ = false;
  bool check_planned_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace roomcheck::channel_layer
