#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.h"
#include "libs/event/event.h"

namespace roomcheck::target {

// What a target does with a message that it cannot take.
enum class BadMessagePolicy { close, ignore, reply };
// When a client that has seen its 101 counts as a member.
enum class JoinBarrier { at_101, self_echo };

// A JSON text with {text} (and {room}) in it: what goes over the wire, both ways. render() substitutes the
// JSON-escaped text; match() is its inverse on a parsed message: same keys and no others, and yields the
// text.
class Template {
 public:
  Template() = default;
  // REQUIRES: JSON with exactly one string that contains {text}. Throws BadInput.
  explicit Template(nlohmann::ordered_json json);

  std::string render(std::string_view text) const;
  nlohmann::ordered_json render_json(std::string_view text) const;
  std::optional<std::string> match(std::string_view wire) const;
  const nlohmann::ordered_json& json() const { return json_; }

 private:
  nlohmann::ordered_json json_;
};

// What a target speaks: the whole of what the suite and the load generator must know to talk to it. A JSON
// file (comments allowed) or a built-in name; schema: conformance/profiles/profile.schema.json.
//
// In profile `seed`: room.send {"msg": "{text}"}, room.receive {"message": "预警信息2：预警信息1：{text}"},
// push.event {"type": "chat_push_message", "message": "{text}"}, push.receive {"message": "{text}"}.
struct Profile {
  std::string name;

  struct Room {
    std::string path = "/ws/chat/{room}/";
    Template send;                                      // member -> server
    Template receive;                                   // server -> every member
    std::string name_pattern = "[A-Za-z0-9_.-]{1,99}";  // ECMAScript regex, the whole name
    std::size_t name_max = 99;
    // Other routes that join the same groups (seed: sync, async, JSON, async JSON consumers), with {room}.
    std::vector<std::string> consumer_paths;
  } room;

  struct Echo {
    std::string path;  // empty: no echo route
    Template send;
    Template receive;
  };
  std::optional<Echo> echo;

  struct External {
    Template event;    // what is put into the channel layer
    Template receive;  // what members then see
  };
  std::optional<External> push;    // to a group
  std::optional<External> direct;  // to a channel name
  // The event type that members' own messages use, pushed from outside: what members see (seed:
  // 预警信息2：{text}).
  std::optional<External> push_as_message;

  // How a room's group is called in the channel layer: a text with {room}, or "discover".
  std::string group = "{room}";
  BadMessagePolicy bad_message = BadMessagePolicy::close;
  JoinBarrier join_barrier = JoinBarrier::at_101;
  std::string greeting;  // ECMAScript regex of messages to drain after a join; empty: none
  std::vector<std::pair<std::string, std::string>> headers;
  std::string cookies;
  std::string tls_ca;
  std::vector<std::string> capabilities;  // echo push direct events auth origin cluster

  bool has(std::string_view capability) const;
  std::string room_path(std::string_view room) const;  // percent-encoded where needed
  std::string group_of(std::string_view room) const;
};

// A built-in name (seed, channels-tutorial) or a file's path. Throws BadInput naming the file and the JSON
// pointer of the wrong field, with the remedy (the allowed values; a suggestion for a misspelt key).
Profile load_profile(const std::string& name_or_file);
// From JSON text; `where` names it in errors.
Profile parse_profile(std::string_view json_text, const std::string& where);
// "room.path=/chat/{room}": replaces one field; the value is JSON, or else taken as a string.
Profile with_overrides(const Profile& profile, const std::vector<std::string>& assignments);
// The effective profile, as a profile file.
std::string print_profile(const Profile& profile);
std::vector<std::string> builtin_profiles();

}  // namespace roomcheck::target
