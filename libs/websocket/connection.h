#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/clock.h"
#include "libs/websocket/frame.h"

namespace roomcheck::websocket {

// What the kernel holds of one connection, in octets.
struct KernelQueues {
  std::uint32_t unread = 0;  // arrived, not yet read by us
  std::uint32_t unsent = 0;  // written by us, not yet acknowledged by the peer
};

// One open (or opening) WebSocket, on either side: what a caller may do with it.
//
// Thread:    the event loop it was made on; nothing here may be called from another thread.
// Ownership: shared; a holder keeps the object, not the socket: after on_close() every call is a harmless
// no-op. Capacity:  what the peer does not read is kept up to the limit given at creation; beyond it send()
// drops the
//            message and says so.
class Connection {
 public:
  enum class Sent {
    accepted,  // written, or waiting within the limit
    dropped,   // over the limit for unsent bytes: the message is not sent, counted in dropped()
    closed     // the connection is closing or gone
  };

  virtual ~Connection() = default;

  // Sent before a server's handshake is accepted, a text waits and follows the 101.
  virtual Sent send_text(std::string_view payload) = 0;
  virtual Sent send_binary(std::string_view payload) = 0;
  // The path of a broadcast: no copy, no encoding; several frames of one turn of the loop leave in one write.
  // REQUIRES: server side (frames are unmasked).
  virtual Sent send(const PreparedText& text) = 0;
  virtual void ping(std::string_view payload) = 0;
  // What is sent from cork() to uncork() leaves in one write, at uncork(): for a caller that knows what is
  // due, so that nobody has to come back to the connection at the end of the turn. Within one handler; not
  // nested.
  virtual void cork() {}
  virtual void uncork() {}

  // Starts the close handshake; what was accepted before is still sent. on_close() follows within a bounded
  // time.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  // Ends the TCP connection at once (RST); on_close() follows from the loop.
  virtual void abort() = 0;

  // Stops and resumes reading from the socket: a deliberately slow reader, or back-pressure.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  virtual std::size_t unsent_bytes() const = 0;              // accepted, not yet taken by the kernel
  virtual KernelQueues kernel_queues() const { return {}; }  // a system call or two; zeros when closed
  virtual std::uint64_t dropped() const = 0;                 // messages dropped over the limit
  virtual std::string remote_address() const = 0;            // "127.0.0.1:54321"
};

using ConnectionPtr = std::shared_ptr<Connection>;

// For a loop over many connections, each of which is cold: asks for the cache lines that send() will touch.
// By the address alone; null is allowed.
void fetch_ahead(const Connection* connection);

// How a connection ended.
struct CloseInfo {
  // The code of the peer's close frame; 1005 for one without a code, 1006 when the connection ended without
  // one.
  std::uint16_t code = 1006;
  std::string reason;
};

// What arrived. The views live until the handler returns.
struct Message {
  Opcode opcode;             // text or binary
  std::string_view payload;  // valid UTF-8 when text
  Nanoseconds at;            // steady clock, taken once for each read from the kernel
  // Steady clock: when the kernel received the last segment of that read, and so what its end brought; 0: not
  // known (ConnectOptions::kernel_timestamps).
  Nanoseconds kernel_at{0};
};

// The application's side of one connection. The library owns it and destroys it after on_close() has
// returned.
//
// Thread:  the connection's event loop. No exception may leave a handler; one that does is caught, logged and
// closes
//          the connection with 1011.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  // The handshake is done (server: the 101 is handed to the kernel; client: it was read and checked).
  virtual void on_open() {}
  virtual void on_message(const Message& message) = 0;
  // Exactly once for each handler that was given to the library, whatever happened.
  virtual void on_close(const CloseInfo& info) = 0;
};

}  // namespace roomcheck::websocket
