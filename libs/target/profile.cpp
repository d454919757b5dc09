#include "libs/target/profile.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "libs/base/result.h"
#include "libs/target/builtin_profiles.h"
#include "libs/target/field.h"
#include "libs/websocket/url.h"

namespace roomcheck::target {
namespace {

using json = nlohmann::ordered_json;

Template message(const Field& field) {
  try {
    return Template(field.value());
  } catch (const BadInput& e) {
    field.fail(e.what());
  }
}

std::string path_with_room(const Field& field) {
  const std::string out = field.text();
  if (out.empty() || out.front() != '/') field.fail("must begin with \"/\"");
  if (out.find("{room}") == out.npos) field.fail("must contain {room}");
  return out;
}

std::optional<Profile::External> external(const Field& root, const std::string& key) {
  if (!root.has(key)) return std::nullopt;
  const Field field = root.at(key);
  field.only({"event", "receive"});
  return Profile::External{message(field.at("event")), message(field.at("receive"))};
}

Profile from_json(const json& document, const std::string& where) {
  const Field root(document, where);
  root.only({"name", "room", "echo", "push", "direct", "push_as_message", "group", "bad_message",
             "join_barrier", "greeting", "headers", "cookies", "tls_ca", "capabilities"});
  Profile out;
  out.name = root.at("name").text();

  const Field room = root.at("room");
  room.only({"path", "send", "receive", "name_pattern", "name_max", "consumer_paths"});
  out.room.path = path_with_room(room.at("path"));
  out.room.send = message(room.at("send"));
  out.room.receive = message(room.at("receive"));
  if (room.has("name_pattern")) out.room.name_pattern = room.at("name_pattern").regex();
  if (room.has("name_max")) {
    out.room.name_max = room.at("name_max").whole(1, 1000000);
  }
  if (room.has("consumer_paths")) out.room.consumer_paths = room.at("consumer_paths").texts();

  if (root.has("echo")) {
    const Field echo = root.at("echo");
    echo.only({"path", "send", "receive"});
    out.echo = Profile::Echo{echo.at("path").text(), message(echo.at("send")), message(echo.at("receive"))};
  }
  out.push = external(root, "push");
  out.direct = external(root, "direct");
  out.push_as_message = external(root, "push_as_message");

  if (root.has("group")) {
    out.group = root.at("group").text();
    if (out.group != "discover" && out.group.find("{room}") == out.group.npos)
      root.at("group").fail("must contain {room}, or be \"discover\"");
  }
  if (root.has("bad_message")) {
    const std::string policy = root.at("bad_message").text();
    if (policy != "close" && policy != "ignore" && policy != "reply")
      root.at("bad_message").fail("must be \"close\", \"ignore\" or \"reply\"");
    out.bad_message = policy == "close"    ? BadMessagePolicy::close
                      : policy == "ignore" ? BadMessagePolicy::ignore
                                           : BadMessagePolicy::reply;
  }
  if (root.has("join_barrier")) {
    const std::string barrier = root.at("join_barrier").text();
    if (barrier != "at_101" && barrier != "self_echo")
      root.at("join_barrier").fail("must be \"at_101\" or \"self_echo\"");
    out.join_barrier = barrier == "at_101" ? JoinBarrier::at_101 : JoinBarrier::self_echo;
  }
  if (root.has("greeting")) out.greeting = root.at("greeting").regex();
  if (root.has("headers")) {
    if (!root.at("headers").value().is_object()) root.at("headers").fail("must be a JSON object of texts");
    for (const auto& [name, value] : root.at("headers").value().items())
      out.headers.emplace_back(name, root.at("headers").at(name).text());
  }
  if (root.has("cookies")) out.cookies = root.at("cookies").text();
  if (root.has("tls_ca")) out.tls_ca = root.at("tls_ca").text();
  if (root.has("capabilities")) {
    out.capabilities = root.at("capabilities").texts();
    static const std::vector<std::string> kKnown{"echo", "push",   "direct", "events",
                                                 "auth", "origin", "cluster"};
    for (const std::string& capability : out.capabilities)
      if (std::find(kKnown.begin(), kKnown.end(), capability) == kKnown.end())
        root.at("capabilities")
            .fail("names \"" + capability +
                  "\", which is none of echo, push, direct, events, auth, origin, cluster");
  }
  for (const char* capability : {"echo", "push", "direct"})
    if (out.has(capability) && !root.has(capability))
      root.fail("has the capability \"" + std::string(capability) + "\" but no \"" + capability + "\"");
  return out;
}

json to_json(const Profile& p) {
  json room{{"path", p.room.path},
            {"send", p.room.send.json()},
            {"receive", p.room.receive.json()},
            {"name_pattern", p.room.name_pattern},
            {"name_max", p.room.name_max},
            {"consumer_paths", p.room.consumer_paths}};
  json out{{"name", p.name}, {"room", room}};
  if (p.echo)
    out["echo"] = {
        {"path", p.echo->path}, {"send", p.echo->send.json()}, {"receive", p.echo->receive.json()}};
  const auto put = [&out](const char* key, const std::optional<Profile::External>& e) {
    if (e) out[key] = {{"event", e->event.json()}, {"receive", e->receive.json()}};
  };
  put("push", p.push);
  put("direct", p.direct);
  put("push_as_message", p.push_as_message);
  out["group"] = p.group;
  out["bad_message"] = p.bad_message == BadMessagePolicy::close    ? "close"
                       : p.bad_message == BadMessagePolicy::ignore ? "ignore"
                                                                   : "reply";
  out["join_barrier"] = p.join_barrier == JoinBarrier::at_101 ? "at_101" : "self_echo";
  out["greeting"] = p.greeting;
  out["headers"] = json::object();
  for (const auto& [name, value] : p.headers) out["headers"][name] = value;
  out["cookies"] = p.cookies;
  out["tls_ca"] = p.tls_ca;
  out["capabilities"] = p.capabilities;
  return out;
}

std::string fill_room(const std::string& text, std::string_view room) {
  std::string out = text;
  if (const std::size_t at = out.find("{room}"); at != out.npos) out.replace(at, 6, room);
  return out;
}

}  // namespace

bool Profile::has(std::string_view capability) const {
  return std::find(capabilities.begin(), capabilities.end(), capability) != capabilities.end();
}
std::string Profile::room_path(std::string_view room_name) const {
  return fill_room(room.path, websocket::percent_encode(room_name));
}
std::string Profile::group_of(std::string_view room_name) const { return fill_room(group, room_name); }

Profile parse_profile(std::string_view json_text, const std::string& where) {
  return from_json(parse_document(json_text, where), where);
}

Profile load_profile(const std::string& name_or_file) {
  for (const auto& [name, text] : builtin_profile_texts())
    if (name == name_or_file) return parse_profile(text, "profile " + name_or_file);
  std::ifstream in(name_or_file, std::ios::binary);
  if (!in) {
    std::string known;
    for (const std::string& name : builtin_profiles()) known += (known.empty() ? "" : ", ") + name;
    throw BadInput("--profile " + name_or_file + ": neither a built-in profile (" + known +
                   ") nor a file that can be read");
  }
  return parse_profile(std::string{std::istreambuf_iterator<char>(in), {}}, name_or_file);
}

Profile with_overrides(const Profile& profile, const std::vector<std::string>& assignments) {
  json document = to_json(profile);
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == assignment.npos || equals == 0)
      throw BadInput("--set " + assignment + ": expected FIELD=VALUE, for example room.path=/chat/{room}");
    std::string pointer = "/" + assignment.substr(0, equals);
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    const std::string text = assignment.substr(equals + 1);
    const json value = json::parse(text, nullptr, false);
    try {
      document[json::json_pointer(pointer)] = value.is_discarded() ? json(text) : value;
    } catch (const json::exception&) {
      throw BadInput("--set " + assignment + ": the profile has no place " + pointer);
    }
  }
  return from_json(document, "--set");
}

std::string print_profile(const Profile& profile) { return to_json(profile).dump(2) + "\n"; }

std::vector<std::string> builtin_profiles() {
  std::vector<std::string> out;
  for (const auto& [name, text] : builtin_profile_texts()) out.emplace_back(name);
  return out;
}

}  // namespace roomcheck::target
