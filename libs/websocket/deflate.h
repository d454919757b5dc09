#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.h"

namespace roomcheck::websocket {

// permessage-deflate (RFC 7692) as a client has it: what it offers, what a server makes of that, and
// messages.

// The value of Sec-WebSocket-Extensions; what browsers send.
constexpr std::string_view kDeflateOffer = "permessage-deflate; client_max_window_bits";

// What the server has agreed to.
struct DeflateTerms {
  bool client_keeps_context = true;  // a message may refer to earlier ones of the same side
  bool server_keeps_context = true;
  int client_window_bits = 15;
};

// Reads the server's Sec-WebSocket-Extensions. nullopt: it declined. An error is a sentence: it agreed to
// what was not offered, or in a way that RFC 7692 forbids; the connection has to fail.
Result<std::optional<DeflateTerms>> parse_deflate_answer(std::string_view header);

// The two streams of one connection, each made when it is first used: about 45 KiB for what is received,
// 260 KiB for what is sent.
//
// Thread: one.
class Deflate {
 public:
  explicit Deflate(const DeflateTerms& terms);
  ~Deflate();
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;

  // The payload of the frame. What was compressed has to be sent: the next one may refer to it.
  std::string compress(std::string_view message);

  enum class Outcome { good, broken, too_big };
  // Appends at most `limit` octets to `message`. After anything but good the stream is of no use any more.
  Outcome inflate(std::string_view payload, std::size_t limit, std::string& message);

 private:
  struct Streams;
  const DeflateTerms terms_;
  const std::unique_ptr<Streams> streams_;
};

}  // namespace roomcheck::websocket
