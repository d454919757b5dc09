#include <boost/asio/io_context.hpp>
#include <optional>
#include <sstream>

#include "layerctl/bus.h"
#include "libs/channel_layer/redis.h"
#include "libs/program/files.h"

namespace roomcheck::layerctl {
namespace {

using channel_layer::ChannelLayer;
using channel_layer::GroupSendReport;
using channel_layer::Message;
using std::chrono::steady_clock;

// The loop runs only while an operation is under way: between them nothing is due.
class LayerBus final : public Bus {
 public:
  LayerBus(const channel_layer::RedisOptions& redis, bool pubsub, std::chrono::nanoseconds limit)
      : limit_(limit),
        outstanding_(pubsub ? 2 : 1),
        layer_(pubsub ? make_redis_pubsub_layer(redis, io_) : make_redis_layer(redis, io_)) {}

  Result<void> send(const std::string& channel, const event::Event& event) override {
    return wait<Result<void>>([&](auto done) { layer_->send(channel, event, done); });
  }
  Result<event::Event> group_send(const std::string& group, const event::Event& event) override {
    const auto report =
        wait<Result<GroupSendReport>>([&](auto done) { layer_->group_send(group, event, done); });
    if (!report.ok()) return report.error();
    if (!report->known) return event::Event::object();
    return event::Event{{"members", report->members}, {"dropped", report->dropped}};
  }
  Result<std::vector<std::string>> members(const std::string& group) override {
    return wait<Result<std::vector<std::string>>>([&](auto done) { layer_->group_channels(group, done); });
  }
  Result<void> group_add(const std::string& group, const std::string& channel) override {
    return wait<Result<void>>([&](auto done) { layer_->group_add(group, channel, done); });
  }
  Result<void> group_discard(const std::string& group, const std::string& channel) override {
    return wait<Result<void>>([&](auto done) { layer_->group_discard(group, channel, done); });
  }
  Result<void> flush() override {
    return wait<Result<void>>([&](auto done) { layer_->flush(done); });
  }

  // On pub/sub two receives are outstanding where two are wanted: a message that comes while nobody receives
  // is lost. On core messages wait, and one that is taken is gone: never more than are wanted.
  Result<void> receive(const std::string& channel, std::uint64_t count, const Receiver& receiver) override {
    const auto end = steady_clock::now() + limit_;
    std::uint64_t asked = 0, got = 0;
    std::optional<Result<void>> outcome;
    const std::function<void()> ask = [&] {
      if (count != 0 && asked == count) return;
      ++asked;
      layer_->receive(channel, end - steady_clock::now(), [&](const Result<Message>& message) {
        if (outcome) return;
        if (!message.ok()) {
          outcome = message.error();
          return;
        }
        receiver(**message);
        if (++got == count) outcome = Result<void>();
        ask();
      });
    };
    for (int i = 0; i < outstanding_; ++i) ask();
    run_until([&] { return outcome.has_value(); });
    const auto closed =
        wait<Result<void>>([&](auto done) { layer_->close(done); });  // what was taken is confirmed
    return outcome->ok() ? closed : *outcome;
  }

 private:
  // REQUIRES: something is under way that makes it done; the layer promises so for each of its operations.
  template <class Done>
  void run_until(Done done) {
    io_.restart();
    while (!done()) io_.run_one();
  }

  template <class Outcome, class Start>
  Outcome wait(Start start) {
    std::optional<Outcome> outcome;
    start([&outcome](Outcome result) { outcome = std::move(result); });
    run_until([&] { return outcome.has_value(); });
    return std::move(*outcome);
  }

  const std::chrono::nanoseconds limit_;
  const int outstanding_;
  boost::asio::io_context io_{1};
  std::unique_ptr<ChannelLayer> layer_;
};

}  // namespace

std::unique_ptr<Bus> make_layer_bus(const Options& options) {
  channel_layer::RedisOptions redis;
  redis.layer.prefix = options.prefix;
  redis.layer.capacity = options.capacity;
  redis.layer.expiry = options.expiry;
  redis.layer.group_expiry = options.group_expiry;
  redis.operation_timeout = redis.connect_timeout = options.limit;
  if (options.serializer == "json") redis.serializer = channel_layer::RedisSerializer::json;
  redis.random_prefix_length = options.random_prefix_length;
  redis.hosts.clear();
  for (const std::string& url : options.redis_url) redis.hosts.push_back(channel_layer::parse_redis_url(url));
  if (redis.hosts.empty()) {
    const char* url = std::getenv("REDIS_URL");
    redis.hosts.push_back(channel_layer::parse_redis_url(url != nullptr ? url : "redis://localhost:6379"));
  }
  if (!options.encryption_key_file.empty()) {
    std::istringstream lines(read_file(options.encryption_key_file));
    for (std::string line; std::getline(lines, line);)
      if (!line.empty()) redis.encryption_keys.push_back(line);
    if (redis.encryption_keys.empty())
      throw BadInput("--encryption-key-file " + options.encryption_key_file + ": it holds no key");
  }
  return std::make_unique<LayerBus>(redis, options.layer == "redis-pubsub", options.limit);
}

}  // namespace roomcheck::layerctl
