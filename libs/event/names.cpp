#include "libs/event/names.h"

#include <algorithm>
#include <string>

namespace roomcheck::event {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

Result<void> check(std::string_view kind, std::string_view name, bool separator_allowed) {
  const std::size_t mark = separator_allowed ? name.find('!') : name.npos;
  const std::string_view head = name.substr(0, mark);
  const std::string_view tail = mark == name.npos ? std::string_view() : name.substr(mark + 1);
  if (name.size() < 100 && !head.empty() && std::all_of(head.begin(), head.end(), plain) &&
      std::all_of(tail.begin(), tail.end(), plain))
    return {};
  return Error{Error::Kind::bad_input,
               std::string(kind) +
                   " name must be a valid unicode string with length < 100 containing only ASCII "
                   "alphanumerics, hyphens, underscores, or periods"};
}

}  // namespace

Result<void> check_group_name(std::string_view name) { return check("Group", name, false); }
Result<void> check_channel_name(std::string_view name) { return check("Channel", name, true); }

}  // namespace roomcheck::event
