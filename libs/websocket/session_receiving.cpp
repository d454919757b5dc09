// What a session receives: octets become frames, frames become messages, or the end.
#include <sys/epoll.h>

#include "libs/base/prefetch.h"
#include "libs/websocket/session.h"

namespace roomcheck::websocket {
namespace {

namespace opcode = websocketpp::frame::opcode;

constexpr int kTlsReads = 16;                        // of one event: others want their turn
constexpr std::size_t kMessageOverhead = 64 * 1024;  // for the headers of a short message's fragments

protocol::Random& random_source() {
  static thread_local protocol::Random random;
  return random;
}

}  // namespace

void Session::on_events(std::uint32_t events) {
  if (state_ == State::opening) {
    on_opening_event(events);
    if (!stream_.is_open()) return;
  }
  if (!tls_done_) {
    const Stream::Outcome outcome = stream_.handshake();
    if (outcome.status == Stream::Status::want_read || outcome.status == Stream::Status::want_write) {
      return set_interest(outcome.status == Stream::Status::want_write ? EPOLLOUT : EPOLLIN);
    }
    if (outcome.status != Stream::Status::ok) return on_end("TLS: " + stream_.last_error());
    tls_done_ = true;
    on_opening_event(0);
    flush();
    if (!stream_.is_open()) return;
    update_interest();
  }
  if ((events & EPOLLOUT) != 0) flush();
  if (!stream_.is_open()) return;
  if (want_read_ || state_ == State::lingering) {
    const bool ended = (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
    if (ended || (events & EPOLLIN) != 0) read_some(ended);
  } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    on_end("the connection was reset");
  }
}

// `ended`: behind what is to be read stands the end.
void Session::read_some(bool ended) {
  prefetch(handler_.get(), 1);  // is in the cache when the kernel has given us its message
  for (int i = 0; i < kTlsReads && stream_.is_open(); ++i) {
    std::array<char, 65536>& buffer = reactor_.buffer();
    Nanoseconds received{0};
    const Stream::Outcome outcome = kernel_clock_ == nullptr
                                        ? stream_.read(buffer.data(), buffer.size())
                                        : stream_.read(buffer.data(), buffer.size(), received);
    if (outcome.status == Stream::Status::want_read || outcome.status == Stream::Status::want_write) return;
    if (outcome.status != Stream::Status::ok)
      return on_end(outcome.status == Stream::Status::eof ? "the connection ended" : stream_.last_error());
    last_received_ = reactor_.read_clock();
    if (kernel_clock_ != nullptr) kernel_clock_->note(received, last_received_);
    char* bytes = buffer.data();
    if (state_ == State::opening) {
      on_opening_bytes(bytes, outcome.bytes);
    } else if (state_ == State::open || state_ == State::closing) {
      feed(bytes, outcome.bytes);
    }
    if (!stream_.is_tls()) {
      // Edge-triggered: what is left is reported once more only if asked for.
      if (stream_.is_open() && (ended || outcome.bytes == buffer.size())) set_interest(interest_);
      return;
    }
    if (!want_read_ && state_ != State::lingering) return;
  }
}

void Session::begin_open() {
  processor_ = std::make_unique<protocol::Processor>(stream_.is_tls(), role_ == Role::server,
                                                     protocol::messages(), random_source());
  processor_->set_max_message_size(max_message_size_);
  state_ = State::open;
  set_deadline(Nanoseconds(0));
}

// A whole, unfragmented, unmasked data frame that lies in the buffer needs no copy and no state.
bool Session::take_fast(char*& bytes, std::size_t& n) {
  if (n < 2) return false;
  const auto octet = [bytes](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i]));
  };
  const std::uint64_t first = octet(0), second = octet(1);
  if ((first != 0x81 && first != 0x82) || second > 126) return false;
  std::size_t header = 2, length = second;
  if (second == 126) {
    if (n < 4) return false;
    length = octet(2) << 8 | octet(3);
    header = 4;
    if (length < 126) return false;  // not the shortest form: the processor refuses it
  }
  if (n < header + length || length > max_message_size_) return false;
  const std::string_view payload(bytes + header, length);
  if (first == 0x81 && !is_valid_utf8(payload)) return false;
  bytes += header + length;
  n -= header + length;
  deliver(first == 0x81 ? Opcode::text : Opcode::binary, payload);
  return true;
}

// What is compressed goes through the processor as binary, whole or in fragments. Any other reserved bit is
// for it to refuse.
void Session::unmark_compressed(char& first) {
  const auto octet = static_cast<unsigned char>(first);
  const unsigned code = octet & 0x0FU;
  if ((octet & protocol::kReserved) != protocol::kCompressed || (code != 1 && code != 2)) return;
  compressed_ = code == 1 ? Opcode::text : Opcode::binary;
  first = static_cast<char>((octet & protocol::kFin) | static_cast<unsigned>(Opcode::binary));
}

void Session::feed(char* bytes, std::size_t n) {
  while (n > 0 && (state_ == State::open || state_ == State::closing)) {
    if (!in_processor_) {
      if (role_ == Role::client && take_fast(bytes, n)) continue;
      in_processor_ = true;
      if (deflate_) unmark_compressed(*bytes);
    }
    if (!data_in_processor_) data_in_processor_ = (static_cast<unsigned char>(*bytes) & 0x08U) == 0;
    websocketpp::lib::error_code code;
    const std::size_t taken = processor_->consume(reinterpret_cast<std::uint8_t*>(bytes), n, code);
    if (code) {
      // websocketpp takes a length that is not in its shortest form for a fault of ours (1011).
      const auto status = static_cast<std::uint16_t>(websocketpp::processor::error::to_ws(code));
      return fail(status == 1011 ? 1002 : status, code.message());
    }
    bytes += taken;
    n -= taken;
    message_octets_ += taken;
    if (message_octets_ > 2 * max_message_size_ + kMessageOverhead) return fail(1009, "too many fragments");
    if (!processor_->ready()) continue;
    const protocol::MessagePtr message = processor_->get_message();
    if (opcode::is_control(message->get_opcode())) {
      in_processor_ = data_in_processor_;
      if (!in_processor_) message_octets_ = 0;
      handle_control(message);
      continue;
    }
    in_processor_ = data_in_processor_ = false;
    message_octets_ = 0;
    if (compressed_) {
      std::string inflated;
      const Opcode code_inside = *compressed_;
      compressed_.reset();
      const auto outcome = deflate_->inflate(message->get_payload(), max_message_size_, inflated);
      if (outcome == Deflate::Outcome::too_big) return fail(1009, "too big when inflated");
      if (outcome == Deflate::Outcome::broken) return fail(1007, "broken compression");
      if (code_inside == Opcode::text && !is_valid_utf8(inflated)) return fail(1007, "invalid UTF-8");
      deliver(code_inside, inflated);
      continue;
    }
    const bool text = message->get_opcode() == opcode::text;
    // websocketpp checks that a text ends on a whole code point only when its last frame is not a
    // continuation.
    if (text && !is_valid_utf8(message->get_payload())) return fail(1007, "invalid UTF-8");
    deliver(text ? Opcode::text : Opcode::binary, message->get_payload());
  }
}

void Session::deliver(Opcode code, std::string_view payload) {
  if (state_ != State::open || !handler_) return;
  on_received();
  guarded([&] {
    handler_->on_message(
        {code, payload, reactor_.now(), kernel_clock_ == nullptr ? Nanoseconds(0) : kernel_clock_->noted()});
  });
}

void Session::handle_control(const protocol::MessagePtr& message) {
  const std::string& payload = message->get_payload();
  if (message->get_opcode() == opcode::ping) {
    if (state_ != State::open) return;
    if (unsent_ >= send_limit_) return on_unanswered_ping();  // a flood of pings must not grow the queue
    const auto frame = protocol::messages()->get_message();
    if (!processor_->prepare_pong(payload, frame)) queue_control(frame);
    return;
  }
  if (message->get_opcode() != opcode::close) return;  // a pong is only a sign of life

  namespace close = websocketpp::close;
  websocketpp::lib::error_code code;
  const auto status = static_cast<std::uint16_t>(close::extract_code(payload, code));
  if (!code && close::status::invalid(status) && status != close::status::no_status)
    code = websocketpp::error::make_error_code(websocketpp::error::invalid_close_code);
  if (!code && (close::status::reserved(status) && status != close::status::no_status))
    code = websocketpp::error::make_error_code(websocketpp::error::reserved_close_code);
  if (code) return fail(1002, "invalid close frame");
  const std::string reason = payload.size() > 2 ? payload.substr(2) : std::string();
  if (!is_valid_utf8(reason)) return fail(1007, "invalid UTF-8");
  if (state_ == State::open) {
    const auto frame = protocol::messages()->get_message();
    if (!processor_->prepare_close(status, status == close::status::no_status ? std::string() : reason,
                                   frame))
      queue_control(frame);
  }
  finish({status, reason});
  linger();
}

}  // namespace roomcheck::websocket
