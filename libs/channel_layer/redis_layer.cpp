// The layer object of one event loop: carries calls to the peer's home loop and answers back.
#include <boost/asio/post.hpp>

#include "libs/channel_layer/redis.h"
#include "libs/channel_layer/redis_peer.h"

namespace roomcheck::channel_layer {
namespace {

namespace asio = boost::asio;

class RedisLayer final : public ChannelLayer {
 public:
  RedisLayer(std::shared_ptr<RedisPeer> peer, asio::io_context& io)
      : peer_(std::move(peer)), loop_(std::make_shared<Loop>(io)) {}

  ~RedisLayer() override {
    while (!listening_.empty()) unlisten(listening_.begin()->first);
  }

  std::string new_channel(std::string_view prefix) override { return peer_->new_channel(prefix); }

  // Messages are encoded here, on the loop that sends.
  void send(const std::string& channel, Event message, Completion done) override {
    Result<std::string> map = peer_->payload().map_of(message);
    if (!map.ok()) return finish(std::move(done), Result<void>(map.error()));
    at_home([channel, map = std::move(map).value(), done = back(std::move(done))](RedisPeer& peer) {
      peer.send(channel, map, done);
    });
  }

  void receive(const std::string& channel, std::chrono::nanoseconds limit, ReceiveCompletion done) override {
    auto receiver = std::make_shared<Receiver>();
    receiver->loop = loop_;
    receiver->layer = alive_;
    receiver->done = std::move(done);
    at_home([channel, limit, receiver](RedisPeer& peer) { peer.receive(channel, limit, receiver); });
  }

  void listen(const std::string& channel, Listener listener, Completion done) override {
    if (listening_.count(channel) != 0)
      return finish(std::move(done), Result<void>(Error{Error::Kind::bad_input,
                                                        "channel " + channel + " has a listener already"}));
    const auto listening = std::make_shared<Listening>();
    listening->loop = loop_;
    listening->listener = std::move(listener);
    listening_[channel] = listening;
    at_home([channel, listening, done = back(std::move(done))](RedisPeer& peer) {
      peer.listen(channel, listening, done);
    });
  }

  void unlisten(const std::string& channel) override {
    const auto found = listening_.find(channel);
    if (found == listening_.end()) return;
    const ListeningPtr listening = found->second;
    listening->alive = false;
    // Not the listener: it may be running right now, and may be what calls us.
    asio::post(loop_->io, [listening] { listening->listener = {}; });
    at_home([channel, listening](RedisPeer& peer) { peer.unlisten(channel, listening); });
    listening_.erase(found);  // last: `channel` may be its key
  }

  void group_add(const std::string& group, const std::string& channel, Completion done) override {
    at_home([group, channel, done = back(std::move(done))](RedisPeer& peer) {
      peer.group_add(group, channel, done);
    });
  }
  void group_discard(const std::string& group, const std::string& channel, Completion done) override {
    at_home([group, channel, done = back(std::move(done))](RedisPeer& peer) {
      peer.group_discard(group, channel, done);
    });
  }
  void group_send(const std::string& group, Event message, GroupSendCompletion done) override {
    Result<std::string> map = peer_->payload().map_of(message);
    if (!map.ok()) return finish(std::move(done), Result<GroupSendReport>(map.error()));
    at_home([group, map = std::move(map).value(), done = back(std::move(done))](RedisPeer& peer) {
      peer.group_send(group, map, done);
    });
  }
  void group_channels(const std::string& group, ChannelsCompletion done) override {
    at_home([group, done = back(std::move(done))](RedisPeer& peer) { peer.group_channels(group, done); });
  }
  void flush(Completion done) override {
    at_home([done = back(std::move(done))](RedisPeer& peer) { peer.flush(done); });
  }
  void close(Completion done) override {
    at_home([done = back(std::move(done))](RedisPeer& peer) { peer.close(done); });
  }
  LayerStats stats() const override { return peer_->stats(); }

 private:
  template <class Call>
  void at_home(Call call) {
    asio::post(peer_->home(), [weak = std::weak_ptr<RedisPeer>(peer_), call = std::move(call)] {
      if (const auto peer = weak.lock()) call(*peer);
    });
  }

  // The completion, on our loop again; dropped when the layer is gone.
  template <class Outcome>
  std::function<void(Outcome)> back(std::function<void(Outcome)> done) {
    if (!done) return {};
    return [loop = loop_, alive = std::weak_ptr<bool>(alive_), done = std::move(done)](Outcome outcome) {
      asio::post(loop->io, [alive, done, outcome = std::move(outcome)]() mutable {
        if (!alive.expired()) done(std::move(outcome));
      });
    };
  }

  template <class Outcome>
  void finish(std::function<void(Outcome)> done, Outcome outcome) {
    if (done) back(std::move(done))(std::move(outcome));
  }

  const std::shared_ptr<RedisPeer> peer_;
  const LoopPtr loop_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // gone with the layer
  std::unordered_map<std::string, ListeningPtr> listening_;
};

}  // namespace

std::unique_ptr<ChannelLayer> make_redis_layer(std::shared_ptr<RedisPeer> peer, asio::io_context& io) {
  return std::make_unique<RedisLayer>(std::move(peer), io);
}

std::unique_ptr<ChannelLayer> make_redis_layer(const RedisOptions& options, asio::io_context& io) {
  return make_redis_layer(make_redis_peer(options, io), io);
}

std::unique_ptr<ChannelLayer> make_redis_pubsub_layer(const RedisOptions& options, asio::io_context& io) {
  return make_redis_layer(make_redis_pubsub_peer(options, io), io);
}

}  // namespace roomcheck::channel_layer
