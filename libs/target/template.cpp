#include "libs/base/result.h"
#include "libs/target/profile.h"

namespace roomcheck::target {
namespace {

using json = nlohmann::ordered_json;
constexpr std::string_view kMark = "{text}";

int count_marks(const json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().find(kMark) != std::string::npos ? 1 : 0;
  int sum = 0;
  if (value.is_structured())
    for (const auto& item : value) sum += count_marks(item);
  return sum;
}

void fill(json& value, std::string_view text) {
  if (value.is_string()) {
    auto& string = value.get_ref<std::string&>();
    if (const std::size_t at = string.find(kMark); at != std::string::npos)
      string.replace(at, kMark.size(), text);
  } else if (value.is_structured()) {
    for (auto& item : value) fill(item, text);
  }
}

// Same shape, same values; where the mark stands, anything between its prefix and suffix.
bool same(const json& pattern, const json& value, std::optional<std::string>& text) {
  if (pattern.is_string()) {
    if (!value.is_string()) return false;
    const auto& want = pattern.get_ref<const std::string&>();
    const auto& got = value.get_ref<const std::string&>();
    const std::size_t at = want.find(kMark);
    if (at == std::string::npos) return want == got;
    const std::string before = want.substr(0, at), after = want.substr(at + kMark.size());
    if (got.size() < before.size() + after.size() || got.compare(0, before.size(), before) != 0 ||
        got.compare(got.size() - after.size(), after.size(), after) != 0)
      return false;
    text = got.substr(before.size(), got.size() - before.size() - after.size());
    return true;
  }
  if (pattern.is_object()) {
    if (!value.is_object() || value.size() != pattern.size()) return false;
    for (const auto& [key, item] : pattern.items())
      if (!value.contains(key) || !same(item, value.at(key), text)) return false;
    return true;
  }
  if (pattern.is_array()) {
    if (!value.is_array() || value.size() != pattern.size()) return false;
    for (std::size_t i = 0; i < pattern.size(); ++i)
      if (!same(pattern[i], value[i], text)) return false;
    return true;
  }
  return pattern == value;
}

bool fits(const json& pattern, const json& value) {
  if (pattern == "{any}") return true;
  if (pattern.type() != value.type() && !(pattern.is_number() && value.is_number())) return false;
  if (!pattern.is_structured()) return pattern == value;
  if (pattern.size() != value.size()) return false;
  if (pattern.is_object()) {
    for (const auto& [key, item] : pattern.items())
      if (!value.contains(key) || !fits(item, value.at(key))) return false;
    return true;
  }
  for (std::size_t i = 0; i < pattern.size(); ++i)
    if (!fits(pattern[i], value[i])) return false;
  return true;
}

}  // namespace

Template::Template(nlohmann::ordered_json value) : json_(std::move(value)) {
  if (count_marks(json_) != 1) throw BadInput("exactly one text in it must contain {text}");
}

nlohmann::ordered_json Template::render_json(std::string_view text) const {
  auto out = json_;
  fill(out, text);
  return out;
}

std::string Template::render(std::string_view text) const { return render_json(text).dump(); }

std::optional<std::string> Template::match(std::string_view wire) const {
  const Result<event::Event> value = event::parse_json(wire);
  std::optional<std::string> text;
  if (!value.ok() || !same(json_, *value, text)) return std::nullopt;
  return text;
}

bool Pattern::matches(std::string_view wire) const {
  const Result<event::Event> value = event::parse_json(wire);
  return value.ok() && fits(json_, *value);
}

}  // namespace roomcheck::target
