#include "libs/channel_layer/payload.h"

#include <openssl/rand.h>

#include <algorithm>
#include <optional>

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

std::size_t map_header_size(std::string_view map) {
  const auto first = static_cast<unsigned char>(map[0]);
  return first == 0xde ? 3 : first == 0xdf ? 5 : 1;
}

// How many entries a MessagePack map has; 0 for what is none.
std::size_t entries_of(std::string_view map) {
  const auto first = static_cast<unsigned char>(map[0]);
  const std::size_t header = map_header_size(map);
  if (header == 1) return (first & 0xf0U) == 0x80 ? first & 0x0fU : 0;
  if (map.size() < header) return 0;
  std::size_t out = 0;
  for (std::size_t i = 1; i < header; ++i) out = out << 8 | static_cast<unsigned char>(map[i]);
  return out;
}

void put_map_header(std::string& out, std::size_t entries) {
  if (entries <= 15) {
    put(out, 0x80 | entries, 1);
  } else {
    put(out, entries <= 0xffff ? 0xde : 0xdf, 1);
    put(out, entries, entries <= 0xffff ? 2 : 4);
  }
}

// The MessagePack map with room for one entry more.
std::string with_one_more(std::string_view map) {
  std::string out;
  put_map_header(out, entries_of(map) + 1);
  out += map.substr(map_header_size(map));
  put_text(out, kRoutingKey);
  return out;
}

// The JSON object up to the value of the routing key; "}" must follow it.
std::string json_with_one_more(std::string_view map) {
  std::string out(map.substr(0, map.size() - 1));
  if (out.size() > 1) out += ", ";
  return out.append("\"").append(kRoutingKey).append("\": ");
}

// A text at the beginning of `rest`, which moves behind it.
std::optional<std::string_view> take_text(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const auto first = static_cast<unsigned char>(rest[0]);
  const bool fix = (first & 0xe0U) == 0xa0;
  if (!fix && (first != 0xd9 || rest.size() < 2)) return std::nullopt;
  const std::size_t header = fix ? 1 : 2;
  const std::size_t size = fix ? first & 0x1fU : static_cast<unsigned char>(rest[1]);
  if (rest.size() < header + size) return std::nullopt;
  const std::string_view out = rest.substr(header, size);
  rest.remove_prefix(header + size);
  return out;
}

// The routing in place, where everybody writes it: last. A group message for a thousand members is nearly all
// routing, and a document of a thousand texts costs ten times as much as looking at them. Should the bytes
// only look like routing (inside binary data), then what is before them is no whole map, and the caller reads
// it the slow way.
std::optional<std::vector<std::string_view>> routing_at_the_end(std::string_view map,
                                                                std::string& without_routing) {
  static const std::string kKey = "\xb0" + std::string(kRoutingKey);
  const std::size_t at = map.rfind(kKey);
  if (at == map.npos || at == 0) return std::nullopt;
  std::string_view rest = map.substr(at + kKey.size());
  if (rest.empty()) return std::nullopt;
  const auto first = static_cast<unsigned char>(rest[0]);
  std::size_t header = 0, count = 1;
  if ((first & 0xf0U) == 0x90) {
    header = 1;
    count = first & 0x0fU;
  } else if (first == 0xdc || first == 0xdd) {
    header = first == 0xdc ? 3 : 5;
    if (rest.size() < header) return std::nullopt;
    count = 0;
    for (std::size_t i = 1; i < header; ++i) count = count << 8 | static_cast<unsigned char>(rest[i]);
  }
  rest.remove_prefix(header);
  std::vector<std::string_view> names;
  names.reserve(std::min(count, rest.size()));
  for (std::size_t i = 0; i < count; ++i) {
    const auto name = take_text(rest);
    if (!name) return std::nullopt;
    names.push_back(*name);
  }
  if (!rest.empty()) return std::nullopt;
  const std::size_t entries = entries_of(map);
  if (entries == 0) return std::nullopt;
  put_map_header(without_routing, entries - 1);
  without_routing += map.substr(map_header_size(map), at - map_header_size(map));
  return names;
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

Result<std::string> Payload::open(std::string_view sealed, std::chrono::seconds max_age) const {
  return fernet_->decrypt(sealed, wall_clock_(), max_age);
}

Result<Event> Payload::parse(std::string_view map) const {
  Result<Event> event =
      serializer_ == RedisSerializer::msgpack ? event::from_msgpack(map) : event::parse_json(map);
  if (event.ok() && !event->is_object()) return poison("the top level is no map");
  return event;
}

Result<Event> Payload::from_topic(std::string_view payload) const {
  if (!fernet_) return parse(payload);
  const Result<std::string> map = open(payload, std::chrono::seconds(0));
  return map.ok() ? parse(*map) : Result<Event>(map.error());
}

Result<Incoming> Payload::from_queue(std::string_view member) const {
  if (member.size() < random_prefix_length_) return poison("it is shorter than its random prefix");
  std::string_view map = member.substr(random_prefix_length_);
  Incoming out;
  if (fernet_) {
    Result<std::string> opened = open(map, max_age_);
    if (!opened.ok()) return opened.error();
    auto kept = std::make_shared<const Event>(std::move(opened).value());
    map = kept->get_ref<const std::string&>();
    out.kept = std::move(kept);
  }
  if (serializer_ == RedisSerializer::msgpack) {
    std::string without_routing;
    if (auto names = routing_at_the_end(map, without_routing)) {
      Result<Event> event = parse(without_routing);
      if (event.ok()) {
        out.event = std::move(event).value();
        out.channels = std::move(*names);
        return out;
      }
    }
  }
  return anywhere(map);
}

// The routing wherever it stands, and however it is written.
Result<Incoming> Payload::anywhere(std::string_view map) const {
  Result<Event> event = parse(map);
  if (!event.ok()) return event.error();
  Incoming out;
  if (const auto routing = event->find(kRoutingKey); routing != event->end()) {
    out.kept = std::make_shared<const Event>(routing->is_array() ? *routing : Event::array({*routing}));
    for (const Event& name : *out.kept) {
      if (!name.is_string()) return poison("the routing is neither a text nor an array of texts");
      out.channels.push_back(name.get_ref<const std::string&>());
    }
    event->erase(routing);
  }
  out.event = std::move(event).value();
  return out;
}

}  // namespace roomcheck::channel_layer
