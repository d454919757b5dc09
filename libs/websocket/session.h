#pragma once
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/websocket/connection.h"
#include "libs/websocket/deflate.h"
#include "libs/websocket/kernel_clock.h"
#include "libs/websocket/protocol.h"
#include "libs/websocket/reactor.h"
#include "libs/websocket/stream.h"

namespace roomcheck::websocket {

// What server and client connections share: the stream, the output queue, frames in and out, the closing.
//
//   opening ──▶ open ──▶ closing ──▶ lingering ──▶ closed
//      │          │  we closed first     ▲  what we said last is being sent, what the peer sends is discarded
//      │          └──────────────────────┤  the peer closed first, or broke the protocol
//      └─────────────────────────────────┘  refused with a response
//
// Any state may go straight to closed (end of TCP, reset, a deadline). The derived classes do the opening.
class Session : public Connection, public Pollable, public std::enable_shared_from_this<Session> {
 public:
  Sent send_text(std::string_view payload) override;
  Sent send_binary(std::string_view payload) override;
  Sent send(const PreparedText& text) override;
  void ping(std::string_view payload) override;
  void cork() override;
  void uncork() override;
  void close(std::uint16_t code, std::string_view reason) override;
  void abort() override;
  void pause_reading() override;
  void resume_reading() override;
  std::size_t unsent_bytes() const override { return unsent_; }
  KernelQueues kernel_queues() const override;
  std::uint64_t dropped() const override { return dropped_; }
  std::string remote_address() const override { return remote_address_; }

  void on_events(std::uint32_t events) override;
  void flush() override;
  void on_tick(Nanoseconds now) override;

 protected:
  enum class State : std::uint8_t { opening, open, closing, lingering, closed };
  enum class Role : std::uint8_t { server, client };

  Session(boost::asio::io_context& io, Role role, std::size_t send_limit, std::size_t max_message_size);
  ~Session() override;

  // The derived class's part.
  virtual void on_opening_event(std::uint32_t) {}                 // before any read in state opening
  virtual void on_opening_bytes(char* bytes, std::size_t n) = 0;  // the handshake of the other side
  virtual void on_opening_end(const std::string& why) = 0;        // it ended before it was open
  virtual void on_opening_deadline() = 0;
  virtual void on_open_tick(Nanoseconds) {}
  virtual void on_received() {}  // a data message, for counters
  virtual void on_sent(std::size_t bytes, bool message) { (void)bytes, (void)message; }
  virtual void on_dropped() {}
  virtual void on_unanswered_ping() {}      // its pong would have been beyond the send limit
  virtual void on_unfinished_close() {}     // the peer took longer than it may to end what is closed
  virtual void on_failed(std::uint16_t) {}  // the peer broke the protocol or a limit: closed with this code
  virtual void on_stream_closed() {}        // last word: out of the reactor

  void enter_reactor(Stream stream, std::uint32_t events);
  void begin_open();                      // state open: frames from here on
  void feed(char* bytes, std::size_t n);  // octets of frames
  void enqueue(const std::shared_ptr<const std::string>& bytes);
  void release_output(std::string first);  // ends hold_output_: `first` (the 101) leaves before what waited
  void discard_unsent();                   // all but a frame that has begun to leave
  void fail(std::uint16_t code, const std::string& reason);  // close frame, on_close, linger
  void finish(const CloseInfo& info);                        // on_close, once, posted
  void linger();
  void close_stream(bool reset = false);
  void update_interest();
  void set_interest(std::uint32_t events);
  void finish_with(std::function<void()> last_call);  // instead of on_close
  protocol::Processor& processor() { return *processor_; }
  bool tls_done() const { return tls_done_; }
  template <class Call>
  void guarded(const Call& call) try {  // a handler's exception closes 1011
    call();
  } catch (const std::exception& e) {
    handler_threw(e);
  }

  Reactor& reactor_;

 private:
  void handler_threw(const std::exception& e);
  Sent queue_message(const std::shared_ptr<const std::string>& frame);
  Sent queue_compressed(std::string_view payload, Opcode opcode);
  Sent admission(std::size_t bytes);
  void unmark_compressed(char& first);
  void queue_control(protocol::MessagePtr frame);
  void queue_gathered(std::size_t written = 0);
  void set_deadline(Nanoseconds at);  // REQUIRES: in the reactor
  void read_some(bool ended);
  std::uint32_t trigger(std::uint32_t events) const;
  void on_end(const std::string& why);
  bool take_fast(char*& bytes, std::size_t& n);
  void handle_control(const protocol::MessagePtr& message);
  void deliver(Opcode opcode, std::string_view payload);
  protocol::MessagePtr new_message(std::string_view payload, Opcode opcode);

  std::shared_ptr<Session> self_;  // alive while in the reactor
  std::unique_ptr<protocol::Processor> processor_;
  const std::size_t max_message_size_;
  std::uint64_t dropped_ = 0;
  // Octets of the message that is arriving, its frames' headers included: many empty fragments are endless
  // too.
  std::size_t message_octets_ = 0;
  const Role role_;
  bool finished_ = false;
  bool wrote_fin_ = false;

 protected:
  std::string remote_address_;
  Nanoseconds deadline_{0};  // of the present state; 0: none

  // From here on what every message touches lies together: in a large room each line of it is a cache miss.
  Stream stream_;
  std::unique_ptr<ConnectionHandler> handler_;
  Nanoseconds last_received_{0};
  Nanoseconds over_limit_since_{0};  // 0: not at the limit
  State state_ = State::opening;
  bool hold_output_ = false;  // what is queued waits for the 101
  bool corked_ = false;       // what is queued waits for uncork()
  bool gathers_ = false;      // it waits in the reactor's gathered()
  bool want_read_ = true;
  KernelClock* kernel_clock_ = nullptr;  // of the client, which asks for the kernel's times
  std::unique_ptr<Deflate> deflate_;     // permessage-deflate was agreed on; clients only

 private:
  bool tls_done_ = false;
  // The fast path may take a frame only between messages.
  bool in_processor_ = false;
  bool data_in_processor_ = false;
  std::optional<Opcode> compressed_;  // of the compressed message in the processor
  std::uint32_t interest_ = 0;
  std::vector<std::shared_ptr<const std::string>> out_;  // whole frames; out_[0, out_head_) are sent
  std::size_t out_head_ = 0;
  std::size_t out_offset_ = 0;  // sent of out_[out_head_]
  std::size_t unsent_ = 0;
  const std::size_t send_limit_;
};

}  // namespace roomcheck::websocket
