#pragma once
#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "libs/channel_layer/channel_layer.h"
#include "libs/websocket/frame.h"
#include "reference_server/consumers/layer_access.h"

namespace roomcheck::reference_server {

// What a consumer knows about its connection (Channels: self.scope).
struct Scope {
  std::string path;
  std::string room_name;  // url_route.kwargs.room_name
  std::string remote_address;
  std::optional<std::string> user;  // the id in a valid session; nullopt is Channels' AnonymousUser
};

// The consumer's way to its own client. Thread: wherever the consumer runs.
class Client {
 public:
  virtual ~Client() = default;
  virtual void accept() = 0;
  virtual void refuse(int status, const std::string& why) = 0;
  virtual void send(const websocket::PreparedText& text) = 0;
};

// What was worked out for the last events: of a broadcast to thousands, once. Members take what is due to
// them in the same order, so that what was asked for after an event is nearly always asked for after it
// again.
//
// Capacity: 16 events, which it keeps alive, so that their addresses cannot be another event's.
template <class Value>
class EventMemo {
 public:
  template <class Make>
  const Value& once(const channel_layer::Message& event, Make make) {
    if (const std::size_t next = entries_[at_].next; entries_[next].event == event) {
      at_ = next;
      return *entries_[at_].value;
    }
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.event == event; });
    std::size_t index = static_cast<std::size_t>(found - entries_.begin());
    if (found == entries_.end()) {
      Value made = make();  // may throw: nothing is kept then
      index = oldest_;
      oldest_ = (oldest_ + 1) % entries_.size();
      entries_[index].event = event;
      entries_[index].value = std::move(made);
    }
    at_ = entries_[at_].next = index;
    return *entries_[at_].value;
  }

 private:
  struct Entry {
    channel_layer::Message event;
    std::optional<Value> value;
    std::size_t next = 0;  // was asked for after this one
  };
  std::array<Entry, 16> entries_;
  std::size_t at_ = 0;  // the last one asked for
  std::size_t oldest_ = 0;
};

// One reply for all members of a broadcast: the first member's consumer encodes it, the others on its loop
// share the frame.
//
// Thread: as said at construction; `one` takes no lock, which in a room of thousands is worth having. `use`
// is called with the frame, while the lock is held.
class FanOut {
 public:
  enum class Threads { one, many };
  explicit FanOut(Threads threads) : threads_(threads) {}

  template <class Encode, class Use>
  void once(const channel_layer::Message& event, Encode encode, Use use) {
    std::unique_lock lock(mu_, std::defer_lock);
    if (threads_ == Threads::many) lock.lock();
    use(frames_.once(event, [&] { return websocket::PreparedText(encode()); }));
  }

 private:
  const Threads threads_;
  std::mutex mu_;  // guards the rest, when there are many
  EventMemo<websocket::PreparedText> frames_;
};

// What a client must not send. Channels' consumers let the exception end the connection; so do we (1011), but
// we leave the room first.
struct BadMessage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// An event from outside that has no handler here or lacks what its handler reads. Channels lets it kill every
// member of the room; we count it and go on.
struct BadEvent : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The application's side of one connection, in Channels' words.
//
// Thread: the event loop (async kinds) or one thread of the pool at a time (sync kinds).
class Consumer {
 public:
  struct Parts {
    std::shared_ptr<Client> client;
    FanOut* fan_out = nullptr;  // outlives the consumer
    std::shared_ptr<LayerAccess> channel_layer;
    std::string channel_name;
    Scope scope;
  };
  explicit Consumer(Parts parts) : parts_(std::move(parts)) {}
  virtual ~Consumer() = default;

  virtual void connect() = 0;
  virtual void disconnect(int close_code) = 0;
  // One of the two is given. Throws BadMessage.
  virtual void receive(std::optional<std::string_view> text_data,
                       std::optional<std::string_view> bytes_data) = 0;
  // Calls the handler of that name. Throws BadEvent.
  virtual void dispatch(std::string_view handler, const channel_layer::Message& event) = 0;

 protected:
  const Scope& scope() const { return parts_.scope; }
  const std::string& channel_name() const { return parts_.channel_name; }
  LayerAccess& channel_layer() { return *parts_.channel_layer; }
  const std::shared_ptr<Client>& client() { return parts_.client; }
  void accept() { parts_.client->accept(); }
  void send(const websocket::PreparedText& text) { parts_.client->send(text); }
  // The reply to an event that every member gets: what `encode` returns.
  template <class Encode>
  void send_once(const channel_layer::Message& event, Encode encode) {
    parts_.fan_out->once(event, encode, [this](const websocket::PreparedText& text) { send(text); });
  }

 private:
  Parts parts_;
};

// Python's json.loads(text_data): no text, or no JSON, is a BadMessage.
channel_layer::Event json_loads(std::optional<std::string_view> text_data);
// text_data_dict[key], which must be text. Throws BadMessage / BadEvent.
std::string text_of_message(const channel_layer::Event& message, const char* key);
std::string text_of_event(const channel_layer::Event& event, const char* key);
// json.dumps({'message': message})
std::string message_json(std::string_view message);

}  // namespace roomcheck::reference_server
