#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.h"

namespace roomcheck::channel_layer {

// The symmetric encryption of channels_redis: Fernet tokens, the keys being SHA-256 of the given texts.
//
//   token = base64url(0x80 | seconds, 64 bit | IV, 16 | AES-128-CBC(text) | HMAC-SHA256 of all before it)
//
// Thread: any; constant after construction.
class Fernet {
 public:
  // The first key encrypts; all are tried to decrypt. REQUIRES: at least one.
  explicit Fernet(const std::vector<std::string>& keys);

  std::string encrypt(std::string_view text, std::chrono::system_clock::time_point now) const;
  // `max_age` > 0 refuses older tokens, and those from more than a minute ahead.
  Result<std::string> decrypt(std::string_view token, std::chrono::system_clock::time_point now,
                              std::chrono::seconds max_age) const;

 private:
  std::vector<std::string> keys_;  // each 16 octets to sign with, 16 to encrypt with
};

}  // namespace roomcheck::channel_layer
