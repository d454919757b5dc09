#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/channel_layer/fernet.h"
#include "libs/channel_layer/redis.h"

namespace roomcheck::channel_layer {

// A message as it came from Redis: the event, and the channels that it is for (none: the queue it was in says
// that). The names point into the member that was read, or into `kept`.
struct Incoming {
  Event event;
  std::vector<std::string_view> channels;
  std::shared_ptr<const Event> kept;  // the routing, where it could not be read in place
};

// The octets of channels_redis, both layers.
//
//   core:     random prefix | encrypted?( map ), the map ending in "__asgi_channel__" unless the queue says
//   it
//             all: a text for a direct send, an array of names for a group
//   pub/sub:  encrypted?( map )
//
// Thread: any; constant after construction.
class Payload {
 public:
  explicit Payload(const RedisOptions& options);

  // The event as a map, without routing. Refuses (bad_input) what is no map, has the routing key itself, or
  // cannot be written (binary in JSON).
  Result<std::string> map_of(const Event& event) const;

  std::string for_topic(std::string_view map) const;                              // pub/sub
  std::string for_plain(std::string_view map) const;                              // core
  std::string for_channel(std::string_view map, std::string_view channel) const;  // core
  std::string for_channels(std::string_view map, const std::vector<std::string_view>& channels) const;

  // What is malformed is an Error (layer.poison); the caller counts it and goes on. The result points into
  // `member`.
  Result<Incoming> from_queue(std::string_view member) const;
  Result<Event> from_topic(std::string_view payload) const;

 private:
  std::string seal(std::string map) const;
  Result<Event> parse(std::string_view map) const;
  Result<Incoming> anywhere(std::string_view map) const;
  Result<std::string> open(std::string_view sealed, std::chrono::seconds max_age) const;

  const RedisSerializer serializer_;
  const std::size_t random_prefix_length_;
  const std::chrono::seconds max_age_;
  const std::function<std::chrono::system_clock::time_point()> wall_clock_;
  std::unique_ptr<const Fernet> fernet_;  // null: clear text
};

}  // namespace roomcheck::channel_layer
