#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace roomcheck::websocket {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// A server's text frame, built once and shared by every member of a broadcast: the whole frame (header and
// payload, unmasked, FIN), immutable.
//
// Thread:    any; copies share the bytes.
class PreparedText {
 public:
  PreparedText() = default;  // empty() until assigned
  // REQUIRES: payload is valid UTF-8.
  explicit PreparedText(std::string_view payload);

  bool empty() const { return bytes_ == nullptr; }
  std::string_view frame() const { return *bytes_; }  // header and payload
  std::string_view payload() const { return std::string_view(*bytes_).substr(header_size_); }
  const std::shared_ptr<const std::string>& shared() const { return bytes_; }

 private:
  std::shared_ptr<const std::string> bytes_;
  std::size_t header_size_ = 0;
};

// Appends a frame header (RFC 6455, 5.2) for `length` octets, without a mask: 2, 4 or 10 octets.
void append_frame_header(std::string& out, Opcode opcode, std::uint64_t length);

bool is_valid_utf8(std::string_view text);

}  // namespace roomcheck::websocket
