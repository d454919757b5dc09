#include "libs/target/profile.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "libs/base/result.h"
#include "libs/target/builtin_profiles.h"
#include "libs/target/field.h"
#include "libs/target/profile_json.h"
#include "libs/websocket/url.h"

namespace roomcheck::target {
namespace {

using json = nlohmann::ordered_json;

std::string fill_room(const std::string& text, std::string_view room) {
  std::string out = text;
  if (const std::size_t at = out.find("{room}"); at != out.npos) out.replace(at, 6, room);
  return out;
}

// The template with the user's value where the text "{user}" stands, or the user within a longer text.
json with_user(const json& pattern, const json& user) {
  if (pattern == "{user}") return user;
  json out = pattern;
  if (out.is_structured())
    for (json& item : out) item = with_user(item, user);
  if (out.is_string()) {
    auto& text = out.get_ref<std::string&>();
    if (const std::size_t at = text.find("{user}"); at != text.npos)
      text.replace(at, 6, user.is_string() ? user.get<std::string>() : user.dump());
  }
  return out;
}

}  // namespace

bool Profile::has(std::string_view capability) const {
  return std::find(capabilities.begin(), capabilities.end(), capability) != capabilities.end();
}
std::string Profile::room_path(std::string_view room_name) const {
  return fill_room(room.path, websocket::percent_encode(room_name));
}
std::string Profile::Auth::private_room_path(std::string_view room_name) const {
  return fill_room(private_path, websocket::percent_encode(room_name));
}

std::optional<std::string> Profile::Auth::bad_session(std::string_view kind) const {
  const std::string& given = (kind == "forged" ? forged : kind == "truncated" ? truncated : expired).value;
  if (!given.empty()) return given;
  const std::size_t equals = session.value.find('=');
  if (kind == "expired" || equals == std::string::npos || equals + 8 > session.value.size())
    return std::nullopt;
  std::string out = session.value;
  if (kind == "truncated") return out.substr(0, out.size() - (out.size() - equals) / 3);
  // One letter in the middle of the value, where every bit of it counts.
  char& letter = out[equals + (out.size() - equals) / 2];
  letter = letter == 'A' ? 'B' : 'A';
  return out;
}

bool Profile::Auth::answers_user(std::string_view wire) const {
  const json value = json::parse(user.value, nullptr, false);
  return Pattern(with_user(whoami_receive, value.is_discarded() ? json(user.value) : value)).matches(wire);
}
bool Profile::Auth::answers_anonymous(std::string_view wire) const {
  return Pattern(with_user(whoami_receive, anonymous)).matches(wire);
}

std::string Profile::group_of(std::string_view room_name) const { return fill_room(group, room_name); }

Profile parse_profile(std::string_view json_text, const std::string& where) {
  return profile_from_json(parse_document(json_text, where), where);
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
  json document = profile_to_json(profile);
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
  return profile_from_json(document, "--set");
}

std::string print_profile(const Profile& profile) { return profile_to_json(profile).dump(2) + "\n"; }

std::vector<std::string> builtin_profiles() {
  std::vector<std::string> out;
  for (const auto& [name, text] : builtin_profile_texts()) out.emplace_back(name);
  return out;
}

}  // namespace roomcheck::target
