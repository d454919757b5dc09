#include "libs/channel_layer/memory.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <random>
#include <unordered_map>

#include "libs/channel_layer/memory_hub.h"
#include "libs/event/names.h"

namespace roomcheck::channel_layer {
namespace {

namespace asio = boost::asio;

class InMemoryChannelLayer final : public ChannelLayer {
 public:
  InMemoryChannelLayer(std::shared_ptr<InMemoryHub> hub, asio::io_context& io)
      : hub_(std::move(hub)), loop_(std::make_shared<Loop>(io)), random_(std::random_device{}()) {}

  ~InMemoryChannelLayer() override {
    while (!listening_.empty()) unlisten(listening_.begin()->first);
    for (const auto& [waiter, name] : waiting_) {
      hub_->take_back(name, waiter);
      waiter->timer.cancel();
      waiter->done = [](Result<Message>) {};  // a message on its way to it finds nobody
    }
  }

  std::string new_channel(std::string_view prefix) override {
    static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::uniform_int_distribution<std::size_t> pick(0, kLetters.size() - 1);
    std::string name = std::string(prefix) + "..inmemory!";
    for (int i = 0; i < 12; ++i) name += kLetters[pick(random_)];
    return name;
  }

  void send(const std::string& channel, Event message, Completion done) override {
    Result<void> result = event::check_channel_name(channel);
    if (result.ok()) result = check_message(message);
    if (result.ok()) result = hub_->send(channel, std::move(message));
    finish(std::move(done), std::move(result));
  }

  void receive(const std::string& channel, std::chrono::nanoseconds limit, ReceiveCompletion done) override {
    if (const Result<void> valid = event::check_channel_name(channel); !valid.ok())
      return finish(std::move(done), Result<Message>(valid.error()));
    const auto waiter = std::make_shared<Waiter>(loop_);
    waiter->done = [this, waiter_key = std::weak_ptr<Waiter>(waiter),
                    done = std::move(done)](Result<Message> result) {
      if (const WaiterPtr self = waiter_key.lock()) waiting_.erase(self);
      if (done) done(std::move(result));
    };
    waiting_[waiter] = channel;
    waiter->timer.expires_after(limit);
    waiter->timer.async_wait([this, channel, waiter](const boost::system::error_code& code) {
      if (code || !hub_->take_back(channel, waiter)) return;
      waiter->done(
          Error{Error::Kind::timeout, "nothing arrived on channel " + channel + " within the time limit"});
    });
    if (const Message message = hub_->receive_or_wait(channel, waiter))
      asio::post(loop_->io, [waiter, message] {
        waiter->timer.cancel();
        waiter->done(message);
      });
  }

  void listen(const std::string& channel, Listener listener, Completion done) override {
    Result<void> result = event::check_channel_name(channel);
    const auto listening = std::make_shared<Listening>();
    listening->loop = loop_;
    listening->listener = std::move(listener);
    if (result.ok() && !hub_->listen(channel, listening))
      result = Error{Error::Kind::bad_input, "channel " + channel + " has a listener already"};
    if (result.ok()) listening_[channel] = listening;
    finish(std::move(done), std::move(result));
  }

  void unlisten(const std::string& channel) override {
    const auto found = listening_.find(channel);
    if (found == listening_.end()) return;
    hub_->unlisten(channel);
    found->second->alive = false;
    // Not the listener: it may be running right now, and may be what calls us.
    asio::post(loop_->io, [listening = found->second] { listening->listener = {}; });
    listening_.erase(found);
  }

  void group_add(const std::string& group, const std::string& channel, Completion done) override {
    const Result<void> valid = check_names(group, channel);
    if (valid.ok()) hub_->group_add(group, channel);
    finish(std::move(done), valid);
  }

  void group_discard(const std::string& group, const std::string& channel, Completion done) override {
    const Result<void> valid = check_names(group, channel);
    if (valid.ok()) hub_->group_discard(group, channel);
    finish(std::move(done), valid);
  }

  void group_send(const std::string& group, Event message, GroupSendCompletion done) override {
    Result<void> valid = event::check_group_name(group);
    if (valid.ok()) valid = check_message(message);
    finish(std::move(done),
           valid.ok() ? hub_->group_send(group, std::move(message)) : Result<GroupSendReport>(valid.error()));
  }

  void group_channels(const std::string& group, ChannelsCompletion done) override {
    const Result<void> valid = event::check_group_name(group);
    finish(std::move(done), valid.ok() ? Result<std::vector<std::string>>(hub_->group_channels(group))
                                       : Result<std::vector<std::string>>(valid.error()));
  }

  void flush(Completion done) override {
    hub_->flush();
    finish(std::move(done), Result<void>());
  }

  void close(Completion done) override { finish(std::move(done), Result<void>()); }

  LayerStats stats() const override { return hub_->stats(); }

 private:
  static Result<void> check_names(const std::string& group, const std::string& channel) {
    const Result<void> valid = event::check_group_name(group);
    return valid.ok() ? event::check_channel_name(channel) : valid;
  }

  static Result<void> check_message(const Event& message) {
    if (message.is_object()) return {};
    return Error{Error::Kind::bad_input,
                 "a message of the channel layer is a map, not " + std::string(message.type_name())};
  }

  // Completions never run before the call returns, and not after the layer is gone.
  template <class Done, class Outcome>
  void finish(Done done, Outcome result) {
    if (!done) return;
    asio::post(loop_->io, [weak = std::weak_ptr<bool>(alive_), done = std::move(done),
                           result = std::move(result)]() mutable {
      if (weak.lock()) done(std::move(result));
    });
  }

  const std::shared_ptr<InMemoryHub> hub_;
  const LoopPtr loop_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // gone with the layer
  std::mt19937_64 random_;
  std::unordered_map<std::string, ListeningPtr> listening_;
  std::map<WaiterPtr, std::string> waiting_;
};

}  // namespace

std::shared_ptr<InMemoryHub> make_in_memory_hub(const LayerOptions& options, const Clock& clock) {
  return std::make_shared<InMemoryHub>(options, clock);
}

std::unique_ptr<ChannelLayer> make_in_memory_layer(std::shared_ptr<InMemoryHub> hub, asio::io_context& io) {
  return std::make_unique<InMemoryChannelLayer>(std::move(hub), io);
}

}  // namespace roomcheck::channel_layer
