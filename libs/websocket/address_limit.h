#pragma once
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace roomcheck::websocket {

// How many connections each remote address has, over all Servers that share the object. An IPv6 host has a
// whole /64 to choose its addresses from: that is one address here.
//
// Thread: any. Capacity: one entry for each address with a connection.
class AddressLimit {
 public:
  explicit AddressLimit(std::size_t most) : most_(most) {}

  // Counts one more of `remote` ("127.0.0.1:54321", "[::1]:54321"), unless it has its share already: false.
  bool enter(std::string_view remote);
  // REQUIRES: one enter() of this address that returned true.
  void leave(std::string_view remote);

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> open_;  // guarded by mutex_
};

}  // namespace roomcheck::websocket
