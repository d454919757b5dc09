#pragma once
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/channel_layer/channel_layer.h"

namespace roomcheck::testkit {

// Runs the loop until `ready`; what does not come within the bound fails the test rather than hangs it. What
// a layer that is broken on purpose does not do it never does: its tests need not wait that long.
template <class Ready>
void run_until(boost::asio::io_context& io, Ready ready) {
  const auto limit = std::chrono::steady_clock::now() +
                     std::chrono::milliseconds(std::getenv("ROOMCHECK_LAYER_FAULT") != nullptr ? 500 : 20000);
  io.restart();
  while (!ready() && std::chrono::steady_clock::now() < limit) {
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  ASSERT_TRUE(ready());
}

// A channel layer as a test speaks to it: each call runs the loop until it is answered.
class LayerDriver {
 public:
  // A consumer: notes the number in each message.
  struct Consumer {
    std::string channel;
    std::vector<int> got;
  };

  LayerDriver(boost::asio::io_context& io, channel_layer::ChannelLayer& layer) : io_(io), layer_(layer) {}

  static channel_layer::Event numbered(int n) { return channel_layer::Event{{"type", "test"}, {"n", n}}; }

  template <class Outcome, class Start>
  Outcome wait(Start start) {
    std::optional<Outcome> outcome;
    start([&](Outcome result) { outcome.emplace(std::move(result)); });
    EXPECT_FALSE(outcome.has_value()) << "a completion ran before the call returned";
    run_until(io_, [&] { return outcome.has_value(); });
    return outcome.has_value() ? std::move(*outcome)
                               : Outcome(Error{Error::Kind::timeout, "the layer never answered"});
  }

  Result<void> send(const std::string& channel, const channel_layer::Event& event) {
    return wait<Result<void>>([&](auto done) { layer_.send(channel, event, done); });
  }
  Result<channel_layer::Message> receive(const std::string& channel,
                                         std::chrono::nanoseconds limit = std::chrono::nanoseconds(0)) {
    return wait<Result<channel_layer::Message>>([&](auto done) { layer_.receive(channel, limit, done); });
  }
  Result<void> group_add(const std::string& group, const std::string& channel) {
    return wait<Result<void>>([&](auto done) { layer_.group_add(group, channel, done); });
  }
  Result<void> group_discard(const std::string& group, const std::string& channel) {
    return wait<Result<void>>([&](auto done) { layer_.group_discard(group, channel, done); });
  }
  Result<channel_layer::GroupSendReport> group_send(const std::string& group,
                                                    const channel_layer::Event& event) {
    return wait<Result<channel_layer::GroupSendReport>>(
        [&](auto done) { layer_.group_send(group, event, done); });
  }
  Result<void> flush() {
    return wait<Result<void>>([&](auto done) { layer_.flush(done); });
  }
  Result<void> close() {
    return wait<Result<void>>([&](auto done) { layer_.close(done); });
  }
  std::vector<std::string> members(const std::string& group) {
    auto result =
        wait<Result<std::vector<std::string>>>([&](auto done) { layer_.group_channels(group, done); });
    EXPECT_TRUE(result.ok());
    return result.ok() ? *result : std::vector<std::string>{"?"};
  }

  std::shared_ptr<Consumer> consumer() {
    auto out = std::make_shared<Consumer>();
    out->channel = layer_.new_channel();
    const auto result = wait<Result<void>>([&](auto done) {
      layer_.listen(out->channel,
                    {[out](const channel_layer::Message& m, bool) { out->got.push_back((*m)["n"]); }}, done);
    });
    EXPECT_TRUE(result.ok());
    return out;
  }

 private:
  boost::asio::io_context& io_;
  channel_layer::ChannelLayer& layer_;
};

}  // namespace roomcheck::testkit
