#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "libs/channel_layer/redis.h"
#include "libs/channel_layer/redis_topics.h"
#include "libs/target/control_kinds.h"

namespace roomcheck::target {
namespace {

using channel_layer::ChannelLayer;
using channel_layer::GroupSendReport;
using channel_layer::RedisOptions;
using std::chrono::steady_clock;

constexpr auto kPoll = std::chrono::milliseconds(2);  // how often Redis is asked whether a new name is there

// A peer of the target on its own Redis. The loop runs only while a call is under way.
class RedisControl : public Control {
 public:
  RedisControl(std::string name, const RedisOptions& redis, bool pubsub)
      : name_(std::move(name)),
        layer_(pubsub ? make_redis_pubsub_layer(redis, io_) : make_redis_layer(redis, io_)) {}

  Result<void> group_send(const std::string& group, const event::Event& event) override {
    const auto sent =
        wait<Result<GroupSendReport>>([&](auto done) { layer_->group_send(group, event, done); });
    return sent.ok() ? Result<void>() : Result<void>(sent.error());
  }
  Result<void> channel_send(const std::string& channel, const event::Event& event) override {
    return wait<Result<void>>([&](auto done) { layer_->send(channel, event, done); });
  }
  Result<std::vector<std::string>> members(const std::string& group) override {
    return wait<Result<std::vector<std::string>>>([&](auto done) { layer_->group_channels(group, done); });
  }
  std::string describe() const override { return name_; }

 private:
  // The layer promises that every operation completes, within its time limit.
  template <class Outcome, class Start>
  Outcome wait(Start start) {
    const std::lock_guard lock(mu_);
    std::optional<Outcome> outcome;
    start([&outcome](Outcome result) { outcome = std::move(result); });
    io_.restart();
    while (!outcome) io_.run_one();
    return std::move(*outcome);
  }

  const std::string name_;
  std::mutex mu_;
  boost::asio::io_context io_{1};
  std::unique_ptr<ChannelLayer> layer_;  // guarded by mu_
};

// On pub/sub nobody can list a group. Redis knows the topics that somebody subscribes, though, and a
// connection's topic is its channel name: the one that one join brought is its name, as long as nobody else
// joins meanwhile.
class PubSubControl final : public RedisControl {
 public:
  PubSubControl(std::string name, const RedisOptions& redis, std::chrono::nanoseconds limit)
      : RedisControl(std::move(name), redis, true),
        hosts_(redis.hosts),
        pattern_(channel_layer::glob_escaped(redis.layer.prefix + "specific.") + "*"),
        limit_(limit) {}

  bool knows_members() override { return false; }
  bool finds_channels() override { return true; }

  Result<std::string> channel_of(const std::string& group, const std::function<void()>& join) override {
    const std::lock_guard lock(joins_);
    const auto before = topics();
    if (!before.ok()) return before.error();
    join();
    const auto end = steady_clock::now() + limit_;
    for (;;) {  // Python does not wait for its subscription before it accepts
      const auto after = topics();
      if (!after.ok()) return after.error();
      std::vector<std::string> fresh;
      std::set_difference(after->begin(), after->end(), before->begin(), before->end(),
                          std::back_inserter(fresh));
      if (fresh.size() == 1) return fresh.front();
      if (!fresh.empty() || steady_clock::now() >= end)
        return Error{
            Error::Kind::unsupported,
            "the join of group " + group + " brought " + std::to_string(fresh.size()) +
                " new subscriptions to the bus, so its channel name cannot be told (is the Redis shared?)"};
      std::this_thread::sleep_for(kPoll);
    }
  }

 private:
  Result<std::set<std::string>> topics() const {
    return channel_layer::redis_topics(hosts_, pattern_, limit_);
  }

  const std::vector<channel_layer::RedisUrl> hosts_;
  const std::string pattern_;
  const std::chrono::nanoseconds limit_;
  std::mutex joins_;
};

// "layer=pubsub&prefix=asgi" -> what is ours; anything else stays in the URL.
struct Query {
  std::string layer = "core";
  std::string prefix = "asgi";
  std::string rest;
};

Query parse_query(const std::string& text, const std::string& address) {
  Query out;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, '&');) {
    const std::string key = part.substr(0, part.find('='));
    const std::string value = part.size() > key.size() ? part.substr(key.size() + 1) : "";
    if (key == "layer") {
      if (value != "core" && value != "pubsub")
        throw BadInput("--control " + address + ": layer must be core or pubsub, not \"" + value + "\"");
      out.layer = value;
    } else if (key == "prefix") {
      out.prefix = value;
    } else {
      out.rest += (out.rest.empty() ? "?" : "&") + part;
    }
  }
  return out;
}

}  // namespace

std::unique_ptr<Control> make_redis_control(const std::string& address, std::chrono::nanoseconds limit) {
  const std::size_t mark = address.find('?');
  const Query query = parse_query(mark == address.npos ? "" : address.substr(mark + 1), address);
  RedisOptions redis;
  redis.layer.prefix = query.prefix;
  redis.operation_timeout = redis.connect_timeout = limit;
  redis.hosts.clear();
  std::string name;
  std::istringstream hosts(address.substr(0, mark));
  for (std::string host; std::getline(hosts, host, ',');) {
    redis.hosts.push_back(channel_layer::parse_redis_url(host + query.rest));
    name += (name.empty() ? "" : ",") + redis.hosts.back().name();
  }
  name += "?layer=" + query.layer + "&prefix=" + query.prefix;
  if (query.layer == "pubsub") return std::make_unique<PubSubControl>(name, redis, limit);
  return std::make_unique<RedisControl>(name, redis, false);
}

}  // namespace roomcheck::target
