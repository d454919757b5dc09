#include "libs/channel_layer/memory.h"

#include <gtest/gtest.h>

#include "libs/base/regex.h"
#include "libs/testkit/manual_clock.h"

namespace roomcheck::channel_layer {
namespace {

// The form of Channels' own InMemoryChannelLayer (observed).
TEST(InMemoryChannelLayer, NamesChannelsAsChannelsDoes) {
  testkit::ManualClock clock;
  boost::asio::io_context io;
  const auto layer = make_in_memory_layer(make_in_memory_hub({}, clock), io);
  EXPECT_TRUE(Regex("specific\\.\\.inmemory![A-Za-z]{12}").matches(layer->new_channel()));
}

// Anybody can make up names through the control API; what nobody reads must not stay.
TEST(InMemoryChannelLayer, ForgetsChannelsThatNobodyEverReads) {
  testkit::ManualClock clock;
  boost::asio::io_context io;
  const auto layer = make_in_memory_layer(make_in_memory_hub({}, clock), io);
  for (int i = 0; i < 1000; ++i) layer->send("made-up." + std::to_string(i), Event{{"type", "t"}}, {});
  clock.advance(std::chrono::seconds(61));
  layer->send("another", Event{{"type", "t"}}, {});
  EXPECT_EQ(layer->stats().expired, 1000u);
}

// A listener holds what it has captured, and its loop.
TEST(InMemoryChannelLayer, WhatIsDueWhenTheLoopEndsHoldsNothing) {
  testkit::ManualClock clock;
  std::weak_ptr<int> held;
  {
    boost::asio::io_context io;
    const auto layer = make_in_memory_layer(make_in_memory_hub({}, clock), io);
    const auto captured = std::make_shared<int>();
    held = captured;
    layer->listen("one", {[captured](const Message&, bool) {}}, {});
    layer->send("one", Event{{"type", "t"}}, {});
  }
  EXPECT_TRUE(held.expired());
}

}  // namespace
}  // namespace roomcheck::channel_layer
