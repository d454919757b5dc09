#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/result.h"
#include "libs/websocket/frame.h"
#include "libs/websocket/http.h"
#include "libs/websocket/tls.h"
#include "libs/websocket/url.h"

namespace roomcheck::websocket {

// One thing that happened on a connection, for the transcript of a failure.
struct TranscriptEntry {
  enum class Direction { sent, received, note };
  Nanoseconds at;  // steady clock
  Direction direction = Direction::note;
  std::string text;  // one line, decoded: `text(17) {"msg": "x"}`, `close 1011`, `GET /ws/chat/a/ HTTP/1.1`
};

// What one connection did, oldest first. Capacity: 2,000 entries; then the middle is left out and counted.
class Transcript {
 public:
  void add(TranscriptEntry::Direction direction, std::string text);
  const std::vector<TranscriptEntry>& entries() const { return entries_; }
  std::uint64_t left_out() const { return left_out_; }

 private:
  std::vector<TranscriptEntry> entries_;
  std::uint64_t left_out_ = 0;
};

// A frame that may break any rule of RFC 6455.
struct RawFrame {
  bool fin = true;
  std::uint8_t rsv = 0;     // three bits
  std::uint8_t opcode = 1;  // four bits
  bool masked = true;
  std::uint32_t mask = 0x1b2c3d4e;
  std::string payload;
  std::optional<std::uint64_t> declared_length;  // another length than the payload's
  int length_bytes = 0;  // 0: the shortest form; 2 or 8: that form though a shorter would do
};

// What came.
struct ReceivedFrame {
  bool fin = true;
  std::uint8_t rsv = 0;
  std::uint8_t opcode = 0;
  bool masked = false;
  std::uint32_t mask = 0;
  bool shortest = true;  // the form of its length
  std::string payload;   // unmasked
  Nanoseconds at{0};
};

// A whole message, or how the stream ended instead.
struct Received {
  enum class Kind {
    text,
    binary,
    close,    // a close frame: code, payload is the reason
    end,      // TCP ended (FIN) without a close frame
    reset,    // RST
    timeout,  // nothing complete by the deadline; what came stays in the buffer
    invalid   // the peer broke RFC 6455; payload says how
  };
  Kind kind = Kind::timeout;
  std::string payload;
  std::uint16_t code = 0;  // of a close frame; 1005 when it has none
  int fragments = 1;
  Nanoseconds at{0};
};
std::string_view to_string(Received::Kind kind);

// The opening handshake to send; every default is what RFC 6455 asks, every field may be wrong on purpose.
struct RawHandshake {
  std::string method = "GET";
  std::string http_version = "HTTP/1.1";
  std::optional<std::string> target;                 // instead of the URL's
  std::optional<std::string> upgrade = "websocket";  // nullopt leaves the header out
  std::optional<std::string> connection = "Upgrade";
  std::optional<std::string> version = "13";
  std::optional<std::string> key = "";  // "": a fresh valid one
  Headers headers;
};

struct RawResponse {
  int status = 0;      // 0: the connection ended, or timed out, before a status line
  std::string before;  // octets that came before "HTTP/" (connect.nothing-before-101)
  Headers headers;
  std::string body;        // as far as Content-Length says, else what has come
  bool accept_ok = false;  // the right Sec-WebSocket-Accept for the key that was sent
  bool timed_out = false;
  std::string header(std::string_view name) const { return find_header(headers, name); }
};

// A WebSocket client of the judge: it can lie on the wire, sees every octet, and records both directions.
// Blocking calls with deadlines, on a non-blocking socket: a test reads as a list of steps.
//
// Thread: one at a time. It answers pings while it reads (unless told not to) and nothing while it does not.
// Capacity: messages longer than max_message_size are `invalid`.
class RawClient {
 public:
  using Deadline = Nanoseconds;  // absolute, steady clock

  // Opens TCP (and TLS for wss). The result is connected, no octet of HTTP was sent.
  static Result<std::unique_ptr<RawClient>> connect(const Url& url, Deadline deadline,
                                                    const ClientTls& tls = {});
  ~RawClient();  // closes TCP
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // Sends the request without waiting; the key is remembered for the check of the answer.
  Result<void> send_handshake(const RawHandshake& handshake, Deadline deadline);
  RawResponse read_response(Deadline deadline);
  // The two in one.
  RawResponse handshake(const RawHandshake& handshake, Deadline deadline);

  Result<void> send_bytes(std::string_view bytes, Deadline deadline);
  Result<void> send_frame(const RawFrame& frame, Deadline deadline);
  Result<void> send_text(std::string_view payload, Deadline deadline);
  Result<void> send_close(std::uint16_t code, std::string_view reason, Deadline deadline);
  static std::string encode(const RawFrame& frame);

  // The next frame of any kind, pings and pongs included (not answered here).
  Result<ReceivedFrame> read_frame(Deadline deadline);
  // The next whole message; pings are answered (set_answer_pings), pongs skipped, fragments joined.
  Received read_message(Deadline deadline);
  void set_answer_pings(bool answer);

  void shutdown_write();  // FIN
  void reset();           // RST, and the socket is gone
  void close();           // both directions, at once
  bool is_open() const;

  const Url& url() const;
  const Transcript& transcript() const;
  void note(std::string text);  // a line of the caller's in the transcript

  std::size_t max_message_size = 64u << 20;

 private:
  class Impl;
  explicit RawClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace roomcheck::websocket
