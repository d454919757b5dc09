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

// What a reply looks like that carries no text of ours: a JSON value in which the text "{any}" stands for any
// value. Otherwise the same keys, no others, and the same values.
class Pattern {
 public:
  Pattern() = default;
  explicit Pattern(nlohmann::ordered_json json) : json_(std::move(json)) {}

  bool matches(std::string_view wire) const;
  const nlohmann::ordered_json& json() const { return json_; }

 private:
  nlohmann::ordered_json json_;
};

// A text of the profile that need not stand in its file: {"env": "NAME"} takes it from the environment. Not
// set and empty are the same. print_profile() prints the name, never the value.
struct EnvText {
  std::string value;
  std::string variable;  // empty: the value stood in the profile
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
  Pattern bad_reply;  // with the policy `reply`: what the sender of a bad message gets
  JoinBarrier join_barrier = JoinBarrier::at_101;
  // Sessions (capability `auth`): a route that tells the user in scope, a route that wants a login, and the
  // Cookie headers to come with.
  struct Auth {
    std::string whoami_path;                // may hold {room}
    nlohmann::ordered_json whoami_send;     // any message that the route answers
    nlohmann::ordered_json whoami_receive;  // its answer; the text "{user}" stands for the user's JSON value
    std::string private_path;               // with {room}; empty: no such route
    EnvText session;                        // a valid session: "sessionid=..."
    EnvText user;                           // whose it is: JSON (7, "ann"), or else taken as a text
    nlohmann::ordered_json anonymous;       // the user's value without a session; null unless told otherwise
    EnvText forged, truncated;              // optional: without them bad_session() damages `session`
    EnvText expired;                        // optional: without it that cannot be tested

    // kind: "forged", "truncated" or "expired". Nothing when the profile gives none and none can be made.
    std::optional<std::string> bad_session(std::string_view kind) const;
    bool answers_user(std::string_view wire) const;       // the answer names the session's user
    bool answers_anonymous(std::string_view wire) const;  // the answer names nobody
    std::string private_room_path(std::string_view room) const;
  };
  std::optional<Auth> auth;

  // Which web pages may open a socket (capability `origin`). Where the profile's headers name no Origin, the
  // first accepted one goes with every handshake that is not about origins.
  struct Origin {
    std::vector<std::string> accepted, refused;  // values of the Origin header, both well formed
    bool missing_refused = true;                 // a handshake without the header
  };
  std::optional<Origin> origin;

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
