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
        hosts_(redis.hosts),
        prefix_(redis.layer.prefix),
        limit_(redis.operation_timeout),
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
  Result<std::vector<std::string>> groups_with(const std::string& text) override {
    const std::string key = prefix_ + ":group:";
    return without(key.size(), channel_layer::redis_keys(hosts_, pattern(key, text), limit_));
  }
  std::string describe() const override { return name_; }

 protected:
  using Names = Result<std::set<std::string>>;
  // Names that begin with `key` and hold `text`.
  static std::string pattern(const std::string& key, const std::string& text) {
    return channel_layer::glob_escaped(key) + "*" + channel_layer::glob_escaped(text) + "*";
  }
  static Result<std::vector<std::string>> without(std::size_t key, const Names& names) {
    if (!names.ok()) return names.error();
    std::vector<std::string> out;
    for (const std::string& name : *names) out.push_back(name.substr(key));
    return out;
  }
  Names topics(const std::string& pattern) const {
    return channel_layer::redis_topics(hosts_, pattern, limit_);
  }

  // ---- constant after construction
  const std::string name_;
  const std::vector<channel_layer::RedisUrl> hosts_;
  const std::string prefix_;
  const std::chrono::nanoseconds limit_;

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

  std::mutex mu_;
  boost::asio::io_context io_{1};
  std::unique_ptr<ChannelLayer> layer_;  // guarded by mu_
};

// On pub/sub nobody can list a group. Redis knows the topics that somebody subscribes, though, and a
// connection's topic is its channel name: the one that one join brought is its name, as long as nobody else
// joins meanwhile.
class PubSubControl final : public RedisControl {
 public:
  PubSubControl(std::string name, const RedisOptions& redis) : RedisControl(std::move(name), redis, true) {}

  Result<std::vector<std::string>> groups_with(const std::string& text) override {
    const std::string key = prefix_ + "__group__";
    return without(key.size(), topics(pattern(key, text)));
  }
  bool knows_members() override { return false; }
  bool finds_channels() override { return true; }

  Result<std::string> channel_of(const std::string& group, const std::function<void()>& join) override {
    const std::lock_guard lock(joins_);
    const auto before = channels();
    if (!before.ok()) return before.error();
    join();
    const auto end = steady_clock::now() + limit_;
    for (;;) {  // Python does not wait for its subscription before it accepts
      const auto after = channels();
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
  Names channels() const { return topics(pattern(prefix_ + "specific.", "")); }

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
  if (query.layer == "pubsub") return std::make_unique<PubSubControl>(name, redis);
  return std::make_unique<RedisControl>(name, redis, false);
}

}  // namespace roomcheck::target
