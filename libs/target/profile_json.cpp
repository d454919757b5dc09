#include "libs/target/profile_json.h"

#include <algorithm>
#include <cstdlib>

#include "libs/target/field.h"

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

std::string path(const Field& field) {
  std::string out = field.text();
  if (out.empty() || out.front() != '/') field.fail("must begin with \"/\"");
  return out;
}

std::string path_with_room(const Field& field) {
  std::string out = path(field);
  if (out.find("{room}") == out.npos) field.fail("must contain {room}");
  return out;
}

EnvText env_text(const Field& field) {
  if (field.value().is_string()) return {field.text(), ""};
  if (!field.value().is_object())
    field.fail("must be a text, or {\"env\": \"NAME\"} to take it from the environment");
  field.only({"env"});
  const std::string name = field.at("env").text();
  if (name.empty()) field.at("env").fail("must name an environment variable");
  const char* value = std::getenv(name.c_str());
  return {value == nullptr ? "" : value, name};
}

std::optional<Profile::External> read_external(const Field& root, const std::string& key) {
  if (!root.has(key)) return std::nullopt;
  const Field field = root.at(key);
  field.only({"event", "receive"});
  return Profile::External{message(field.at("event")), message(field.at("receive"))};
}

Profile::Room read_room(const Field& field) {
  field.only({"path", "send", "receive", "name_pattern", "name_max", "consumer_paths"});
  Profile::Room out;
  out.path = path_with_room(field.at("path"));
  out.send = message(field.at("send"));
  out.receive = message(field.at("receive"));
  if (field.has("name_pattern")) out.name_pattern = field.at("name_pattern").regex();
  if (field.has("name_max")) {
    out.name_max = field.at("name_max").whole(1, 1000000);
  }
  if (field.has("consumer_paths")) out.consumer_paths = field.at("consumer_paths").texts();
  return out;
}

Profile::Echo read_echo(const Field& field) {
  field.only({"path", "send", "receive"});
  return {path(field.at("path")), message(field.at("send")), message(field.at("receive"))};
}

Profile::Auth read_auth(const Field& field) {
  field.only({"whoami", "private_path", "session", "user", "anonymous", "forged", "truncated", "expired"});
  Profile::Auth out;
  const Field whoami = field.at("whoami");
  whoami.only({"path", "send", "receive"});
  out.whoami_path = path(whoami.at("path"));
  out.whoami_send = whoami.at("send").value();
  out.whoami_receive = whoami.at("receive").value();
  if (out.whoami_receive.dump().find("{user}") == std::string::npos)
    whoami.at("receive").fail("must contain the text {user}, where the user stands");
  if (field.has("private_path")) out.private_path = path_with_room(field.at("private_path"));
  out.session = env_text(field.at("session"));
  if (const json& user = field.at("user").value(); user.is_number() || user.is_boolean())
    out.user.value = user.dump();
  else
    out.user = env_text(field.at("user"));
  if (field.has("anonymous")) out.anonymous = field.at("anonymous").value();
  if (field.has("forged")) out.forged = env_text(field.at("forged"));
  if (field.has("truncated")) out.truncated = env_text(field.at("truncated"));
  if (field.has("expired")) out.expired = env_text(field.at("expired"));
  return out;
}

Profile::Origin read_origin(const Field& field) {
  field.only({"accepted", "refused", "missing"});
  Profile::Origin out;
  out.accepted = field.at("accepted").texts();
  out.refused = field.at("refused").texts();
  if (out.accepted.empty()) field.at("accepted").fail("must name at least one origin");
  if (out.refused.empty()) field.at("refused").fail("must name at least one origin");
  if (field.has("missing"))
    out.missing_refused = field.at("missing").one_of({"refused", "accepted"}) == "refused";
  return out;
}

// What a declared capability needs to be tested at all.
void check_capabilities(const Field& root, const Profile& profile) {
  static const std::vector<std::string> kKnown{"echo", "push",   "direct", "events",
                                               "auth", "origin", "cluster"};
  for (const std::string& capability : profile.capabilities)
    if (std::find(kKnown.begin(), kKnown.end(), capability) == kKnown.end())
      root.at("capabilities")
          .fail("names \"" + capability +
                "\", which is none of echo, push, direct, events, auth, origin, cluster");
  for (const char* capability : {"echo", "push", "direct", "auth", "origin"})
    if (profile.has(capability) && !root.has(capability))
      root.fail("has the capability \"" + std::string(capability) + "\" but no \"" + capability + "\"");
  if (!profile.has("auth")) return;
  const Field auth = root.at("auth");
  const auto needed = [&auth](const char* key, const EnvText& text) {
    if (!text.value.empty()) return;
    auth.at(key).fail(text.variable.empty()
                          ? "must not be empty: the profile has the capability \"auth\""
                          : "comes from the environment, where " + text.variable +
                                " is not set: set it, or leave \"auth\" out of capabilities");
  };
  needed("session", profile.auth->session);
  needed("user", profile.auth->user);
}

json to_json(const EnvText& text) {
  return text.variable.empty() ? json(text.value) : json{{"env", text.variable}};
}

}  // namespace

Profile profile_from_json(const json& document, const std::string& where) {
  const Field root(document, where);
  root.only({"$schema", "name", "room", "echo", "push", "direct", "push_as_message", "group", "bad_message",
             "bad_reply", "join_barrier", "greeting", "auth", "origin", "headers", "cookies", "tls_ca",
             "capabilities"});
  Profile out;
  out.name = root.at("name").text();
  out.room = read_room(root.at("room"));
  if (root.has("echo")) out.echo = read_echo(root.at("echo"));
  out.push = read_external(root, "push");
  out.direct = read_external(root, "direct");
  out.push_as_message = read_external(root, "push_as_message");
  if (root.has("group")) {
    out.group = root.at("group").text();
    if (out.group != "discover" && out.group.find("{room}") == out.group.npos)
      root.at("group").fail("must contain {room}, or be \"discover\"");
  }
  if (root.has("bad_message")) {
    const std::string policy = root.at("bad_message").one_of({"close", "ignore", "reply"});
    out.bad_message = policy == "close"    ? BadMessagePolicy::close
                      : policy == "ignore" ? BadMessagePolicy::ignore
                                           : BadMessagePolicy::reply;
  }
  if (root.has("bad_reply")) out.bad_reply = Pattern(root.at("bad_reply").value());
  if (out.bad_message == BadMessagePolicy::reply && !root.has("bad_reply"))
    root.at("bad_message").fail("is \"reply\", so \"bad_reply\" must say what comes back");
  if (root.has("join_barrier"))
    out.join_barrier = root.at("join_barrier").one_of({"at_101", "self_echo"}) == "at_101"
                           ? JoinBarrier::at_101
                           : JoinBarrier::self_echo;
  if (root.has("greeting")) out.greeting = root.at("greeting").regex();
  if (root.has("auth")) out.auth = read_auth(root.at("auth"));
  if (root.has("origin")) out.origin = read_origin(root.at("origin"));
  if (root.has("headers")) {
    const Field headers = root.at("headers");
    if (!headers.value().is_object()) headers.fail("must be a JSON object of texts");
    for (const auto& [name, value] : headers.value().items())
      out.headers.emplace_back(name, headers.at(name).text());
  }
  if (root.has("cookies")) out.cookies = root.at("cookies").text();
  if (root.has("tls_ca")) out.tls_ca = root.at("tls_ca").text();
  if (root.has("capabilities")) out.capabilities = root.at("capabilities").texts();
  check_capabilities(root, out);
  return out;
}

json profile_to_json(const Profile& p) {
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
  if (!p.bad_reply.json().is_null()) out["bad_reply"] = p.bad_reply.json();
  out["join_barrier"] = p.join_barrier == JoinBarrier::at_101 ? "at_101" : "self_echo";
  out["greeting"] = p.greeting;
  if (p.auth) {
    const Profile::Auth& a = *p.auth;
    json auth{{"whoami", {{"path", a.whoami_path}, {"send", a.whoami_send}, {"receive", a.whoami_receive}}}};
    if (!a.private_path.empty()) auth["private_path"] = a.private_path;
    auth["session"] = to_json(a.session);
    auth["user"] = to_json(a.user);
    auth["anonymous"] = a.anonymous;
    const auto optional = [&auth](const char* key, const EnvText& text) {
      if (!text.value.empty() || !text.variable.empty()) auth[key] = to_json(text);
    };
    optional("forged", a.forged);
    optional("truncated", a.truncated);
    optional("expired", a.expired);
    out["auth"] = auth;
  }
  if (p.origin)
    out["origin"] = {{"accepted", p.origin->accepted},
                     {"refused", p.origin->refused},
                     {"missing", p.origin->missing_refused ? "refused" : "accepted"}};
  out["headers"] = json::object();
  for (const auto& [name, value] : p.headers) out["headers"][name] = value;
  out["cookies"] = p.cookies;
  out["tls_ca"] = p.tls_ca;
  out["capabilities"] = p.capabilities;
  return out;
}

}  // namespace roomcheck::target
