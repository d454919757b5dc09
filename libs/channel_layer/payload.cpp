#include "libs/channel_layer/payload.h"

#include <openssl/rand.h>

#include <algorithm>

#include "libs/event/event.h"
#include "libs/event/msgpack.h"

namespace roomcheck::channel_layer {
namespace {

constexpr std::string_view kRoutingKey = "__asgi_channel__";
constexpr std::chrono::seconds kSlack(10);  // of channels_redis, on top of the expiry

void put(std::string& out, std::size_t value, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8)
    out += static_cast<char>((value >> shift) & 0xff);
}

void put_text(std::string& out, std::string_view text) {
  if (text.size() < 32) {
    put(out, 0xa0 | text.size(), 1);
  } else {  // names have fewer than 100 characters
    put(out, 0xd9, 1);
    put(out, text.size(), 1);
  }
  out += text;
}

// The MessagePack map with room for one entry more.
std::string with_one_more(std::string_view map) {
  const auto first = static_cast<unsigned char>(map[0]);
  std::size_t header = 1, entries = first & 0x0fU;
  if (first == 0xde || first == 0xdf) {
    header = first == 0xde ? 3 : 5;
    entries = 0;
    for (std::size_t i = 1; i < header; ++i) entries = entries << 8 | static_cast<unsigned char>(map[i]);
  }
  ++entries;
  std::string out;
  if (entries <= 15) {
    put(out, 0x80 | entries, 1);
  } else {
    put(out, entries <= 0xffff ? 0xde : 0xdf, 1);
    put(out, entries, entries <= 0xffff ? 2 : 4);
  }
  out += map.substr(header);
  put_text(out, kRoutingKey);
  return out;
}

// The JSON object up to the value of the routing key; "}" must follow it.
std::string json_with_one_more(std::string_view map) {
  std::string out(map.substr(0, map.size() - 1));
  if (out.size() > 1) out += ", ";
  return out.append("\"").append(kRoutingKey).append("\": ");
}

bool has_binary(const Event& value) {
  return value.is_binary() || (value.is_structured() && std::any_of(value.begin(), value.end(), has_binary));
}

Error poison(const std::string& why) {
  return Error{Error::Kind::bad_input, "not a channel-layer message: " + why};
}

}  // namespace

Payload::Payload(const RedisOptions& options)
    : serializer_(options.serializer),
      random_prefix_length_(options.random_prefix_length),
      max_age_(std::chrono::ceil<std::chrono::seconds>(options.layer.expiry) + kSlack),
      wall_clock_(options.wall_clock) {
  if (!options.encryption_keys.empty()) fernet_ = std::make_unique<const Fernet>(options.encryption_keys);
}

Result<std::string> Payload::map_of(const Event& event) const {
  if (!event.is_object())
    return Error{Error::Kind::bad_input,
                 "a message of the channel layer is a map, not " + std::string(event.type_name())};
  if (event.contains(kRoutingKey))
    return Error{Error::Kind::bad_input,
                 "a message of the channel layer must not have the key " + std::string(kRoutingKey)};
  if (serializer_ == RedisSerializer::msgpack) return event::to_msgpack(event);
  if (has_binary(event))
    return Error{Error::Kind::bad_input, "a message with binary data cannot be written as JSON"};
  return event::to_python_json(event);
}

std::string Payload::seal(std::string map) const {
  return fernet_ ? fernet_->encrypt(map, wall_clock_()) : map;
}

std::string Payload::for_topic(std::string_view map) const { return seal(std::string(map)); }

std::string Payload::for_plain(std::string_view map) const {
  std::string out(random_prefix_length_, '\0');
  ::RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  return out += seal(std::string(map));
}

std::string Payload::for_channel(std::string_view map, std::string_view channel) const {
  if (serializer_ == RedisSerializer::json)
    return for_plain(json_with_one_more(map) + '"' + std::string(channel) + "\"}");
  std::string out = with_one_more(map);
  put_text(out, channel);
  return for_plain(out);
}

std::string Payload::for_channels(std::string_view map, const std::vector<std::string_view>& channels) const {
  if (serializer_ == RedisSerializer::json) {
    std::string out = json_with_one_more(map) + "[";
    for (const std::string_view channel : channels)
      out.append(out.back() == '[' ? "\"" : ", \"").append(channel).append("\"");
    return for_plain(out += "]}");
  }
  std::string out = with_one_more(map);
  const std::size_t count = channels.size();
  if (count <= 15) {
    put(out, 0x90 | count, 1);
  } else {
    put(out, count <= 0xffff ? 0xdc : 0xdd, 1);
    put(out, count, count <= 0xffff ? 2 : 4);
  }
  for (const std::string_view channel : channels) put_text(out, channel);
  return for_plain(out);
}

Result<Event> Payload::parse(std::string_view sealed, std::chrono::seconds max_age) const {
  std::string opened;
  if (fernet_) {
    Result<std::string> text = fernet_->decrypt(sealed, wall_clock_(), max_age);
    if (!text.ok()) return text.error();
    opened = std::move(text).value();
    sealed = opened;
  }
  Result<Event> event =
      serializer_ == RedisSerializer::msgpack ? event::from_msgpack(sealed) : event::parse_json(sealed);
  if (event.ok() && !event->is_object()) return poison("the top level is no map");
  return event;
}

Result<Event> Payload::from_topic(std::string_view payload) const {
  return parse(payload, std::chrono::seconds(0));
}

Result<Incoming> Payload::from_queue(std::string_view member) const {
  if (member.size() < random_prefix_length_) return poison("it is shorter than its random prefix");
  Result<Event> event = parse(member.substr(random_prefix_length_), max_age_);
  if (!event.ok()) return event.error();
  Incoming out;
  if (const auto routing = event->find(kRoutingKey); routing != event->end()) {
    if (routing->is_string()) {
      out.channels.push_back(routing->get<std::string>());
    } else if (routing->is_array()) {
      for (Event& name : *routing) {
        if (!name.is_string()) return poison("a channel name is no text");
        out.channels.push_back(std::move(name.get_ref<std::string&>()));
      }
    } else {
      return poison("the routing is neither a text nor an array");
    }
    event->erase(routing);
  }
  out.event = std::move(event).value();
  return out;
}

}  // namespace roomcheck::channel_layer
