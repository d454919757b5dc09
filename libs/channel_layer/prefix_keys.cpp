#include "libs/channel_layer/prefix_keys.h"

#include <algorithm>
#include <set>

#include "libs/event/names.h"

namespace roomcheck::channel_layer {
namespace {

constexpr std::string_view kGroup = ":group:", kBackup = "$inflight", kSpecific = "specific.";
constexpr std::size_t kId = 32;

bool begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }

std::string_view without_backup(std::string_view key) {
  const bool backup = key.size() > kBackup.size() && key.substr(key.size() - kBackup.size()) == kBackup;
  return backup ? key.substr(0, key.size() - kBackup.size()) : key;
}

// The prefix that such a key proves, or nothing.
std::string_view proven_prefix(std::string_view key) {
  if (const std::size_t at = key.find(kGroup); at != key.npos) return key.substr(0, at);
  key = without_backup(key);
  const std::size_t tail = kSpecific.size() + kId + 1;
  if (key.size() < tail || key.back() != '!') return {};
  const std::string_view id = key.substr(key.size() - kId - 1, kId);
  if (id.find_first_not_of("0123456789abcdef") != id.npos) return {};
  return begins(key.substr(key.size() - tail), kSpecific) ? key.substr(0, key.size() - tail)
                                                          : std::string_view();
}

}  // namespace

std::vector<std::string> keys_of_prefix(std::string_view prefix, const std::vector<std::string>& keys) {
  std::set<std::string_view> longer;
  for (const std::string& key : keys)
    if (const std::string_view proven = proven_prefix(key); proven.size() > prefix.size())
      longer.insert(proven);

  std::vector<std::string> out;
  for (const std::string& key : keys) {
    if (!begins(key, prefix)) continue;
    const std::string_view rest = std::string_view(key).substr(prefix.size());
    const bool is_group = begins(rest, kGroup);
    const bool is_queue = event::check_channel_name(without_backup(rest)).ok() &&
                          std::none_of(longer.begin(), longer.end(),
                                       [&](std::string_view other) { return begins(key, other); });
    if (is_group || is_queue) out.push_back(key);
  }
  return out;
}

std::string begins_with(std::string_view prefix) {
  std::string out;
  for (const char c : prefix) {
    if (std::string_view("*?[]\\^-").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out + '*';
}

}  // namespace roomcheck::channel_layer
