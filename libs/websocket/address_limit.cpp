#include "libs/websocket/address_limit.h"

#include <arpa/inet.h>

#include <cassert>

namespace roomcheck::websocket {
namespace {

std::string owner_of(std::string_view remote) {
  const std::string host(remote.substr(0, remote.rfind(':')));
  in6_addr v6{};
  if (host.size() < 2 || host.front() != '[' ||
      ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) != 1 || IN6_IS_ADDR_V4MAPPED(&v6))
    return host;
  return std::string(reinterpret_cast<const char*>(v6.s6_addr), 8);
}

}  // namespace

bool AddressLimit::enter(std::string_view remote) {
  const std::lock_guard lock(mutex_);
  std::size_t& open = open_[owner_of(remote)];
  if (open >= most_) return false;
  ++open;
  return true;
}

void AddressLimit::leave(std::string_view remote) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(owner_of(remote));
  assert(found != open_.end());
  if (--found->second == 0) open_.erase(found);
}

}  // namespace roomcheck::websocket
