#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.h"
#include "libs/event/event.h"

namespace roomcheck::channel_layer {

using event::Event;

// A delivered message. Shared by all its receivers on a node and immutable: to change it, copy it
// (layer.no-aliasing).
using Message = std::shared_ptr<const Event>;

// What group_send knows about its own effect. On layers that cannot know (pub/sub), `known` is false.
struct GroupSendReport {
  bool known = true;
  std::uint64_t members = 0;  // channels of the group, those that dropped included
  std::uint64_t dropped = 0;  // members at capacity, for which the message is lost (layer.capacity-group)
};

struct LayerOptions {
  std::string prefix = "asgi";
  std::uint64_t capacity = 100;
  // First match wins; '*' and '?' as in a shell pattern.
  std::vector<std::pair<std::string, std::uint64_t>> channel_capacity;
  std::chrono::nanoseconds expiry = std::chrono::seconds(60);
  std::chrono::nanoseconds group_expiry = std::chrono::seconds(86400);

  std::uint64_t capacity_of(std::string_view channel) const;
};

struct LayerStats {
  std::uint64_t sent = 0;        // send()
  std::uint64_t group_sent = 0;  // group_send()
  std::uint64_t delivered = 0;   // to a listener or a receive()
  std::uint64_t dropped = 0;     // over capacity in group_send(), or oldest or newest of a full local queue
  std::uint64_t expired = 0;     // not received within `expiry`
  std::uint64_t groups = 0;      // with at least one member, now
  std::uint64_t members = 0;     // memberships, now
  // On Redis:
  std::uint64_t poison = 0;   // malformed payloads, skipped
  std::uint64_t failed = 0;   // operations that ended in an error of Redis or of the way to it
  std::uint64_t outages = 0;  // connections lost
};

// The channel layer, in Channels' own words: sends events to channel names and to every channel of a group,
// at most once each. One object serves one event loop of a node; those of the same node share what they must.
//
// Thread:     the event loop it was made for; completion and message handlers run there, never before the
// call that
//             took them returns.
// Completion: each is called exactly once, within a bounded time, also on failure; those outstanding when the
// layer is
//             destroyed are dropped. An empty std::function is allowed: nobody wants to know.
// Order:      messages of one sender to one channel arrive in order. group_add is effective when it
// completes. Capacity:   per channel (LayerOptions); send() fails with Error::Kind::full, group_send() drops
// silently and counts.
class ChannelLayer {
 public:
  using Completion = std::function<void(Result<void>)>;
  using GroupSendCompletion = std::function<void(Result<GroupSendReport>)>;
  using ChannelsCompletion = std::function<void(Result<std::vector<std::string>>)>;
  using ReceiveCompletion = std::function<void(Result<Message>)>;
  struct Listener {
    // `more`: the next message for this channel follows at once, in the same turn of the loop; whoever passes
    // messages on may wait for it and write once.
    std::function<void(const Message&, bool more)> on_message;
    // Optional: a message comes after those of `others` listeners (2, then 1). In a room of thousands each is
    // cold in the cache; what on_message() touches can be fetched now.
    std::function<void(int others)> on_soon = {};
  };

  virtual ~ChannelLayer() = default;

  // A fresh name, at most 99 characters, different from every other: the address of one consumer.
  virtual std::string new_channel(std::string_view prefix = "specific") = 0;

  virtual void send(const std::string& channel, Event message, Completion done) = 0;
  // The next message of the channel, waiting at most `limit` (then Error::Kind::timeout). Messages that
  // nobody takes wait in the channel, up to capacity and expiry.
  virtual void receive(const std::string& channel, std::chrono::nanoseconds limit,
                       ReceiveCompletion done) = 0;

  // Every message of the channel as it comes, until unlisten() or the end of the layer: what a consumer does
  // for the life of its connection. Messages that already wait come first. One listener a channel. `done`:
  // listening is effective.
  virtual void listen(const std::string& channel, Listener listener, Completion done) = 0;
  virtual void unlisten(const std::string& channel) = 0;

  virtual void group_add(const std::string& group, const std::string& channel, Completion done) = 0;
  virtual void group_discard(const std::string& group, const std::string& channel, Completion done) = 0;
  virtual void group_send(const std::string& group, Event message, GroupSendCompletion done) = 0;
  // The members, where the layer can know them (Error::Kind::unsupported where not).
  virtual void group_channels(const std::string& group, ChannelsCompletion done) = 0;

  // Removes everything of this layer's prefix: messages and memberships, and nothing else (layer.flush).
  virtual void flush(Completion done) = 0;

  // Leaves every group and takes down what only this process would read, within a bounded time: the last
  // operation of an orderly end. Layers that keep nothing outside the process have nothing to do.
  virtual void close(Completion done) = 0;

  // Thread: any.
  virtual LayerStats stats() const = 0;
};

}  // namespace roomcheck::channel_layer
