#include "libs/target/control.h"

#include <algorithm>

#include "libs/target/control_kinds.h"

namespace roomcheck::target {

Result<std::string> Control::channel_of(const std::string& group, const std::function<void()>& join) {
  const Result<std::vector<std::string>> before = members(group);
  if (!before.ok()) return before.error();
  join();
  const Result<std::vector<std::string>> after = members(group);
  if (!after.ok()) return after.error();
  std::vector<std::string> fresh;
  for (const std::string& name : *after)
    if (std::find(before->begin(), before->end(), name) == before->end()) fresh.push_back(name);
  if (fresh.size() != 1)
    return Error{Error::Kind::unsupported, "one join brought " + std::to_string(fresh.size()) +
                                               " new channel names into group " + group};
  return fresh.front();
}

Result<std::vector<std::string>> Control::groups_with(const std::string&) {
  return Error{Error::Kind::unsupported, "the control " + describe() + " cannot list groups"};
}

std::unique_ptr<Control> make_control(const std::string& address, const std::string& token,
                                      std::chrono::nanoseconds limit) {
  const std::string scheme = address.substr(0, address.find(':'));
  if (scheme == "http") return make_http_control(address, token, limit);
  if (scheme == "cmd") return make_command_control(address, limit);
  for (const char* redis : {"redis", "rediss", "unix"})
    if (scheme == redis) return make_redis_control(address, limit);
  throw BadInput(
      "--control " + address +
      ": expected http://HOST:PORT (a control API), redis://HOST:PORT/DB?layer=core|pubsub (the target's "
      "Redis) or cmd:COMMAND (a program of yours)");
}

}  // namespace roomcheck::target
