#include "libs/websocket/session.h"

#include <linux/sockios.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <boost/asio/post.hpp>
#include <exception>

namespace roomcheck::websocket {
namespace {

using std::chrono::seconds;
namespace opcode = websocketpp::frame::opcode;

constexpr Nanoseconds kCloseLimit = seconds(5);   // for the peer's answer to our close frame
constexpr Nanoseconds kLingerLimit = seconds(2);  // for the peer to read our last words
constexpr int kTlsReads = 16;                     // of one event: others want their turn
constexpr int kFramesPerWrite = 64;
constexpr std::size_t kGathered = 16 * 1024;  // octets; beyond it what is due is queued, and shared
constexpr unsigned kFin = 0x80, kReserved = 0x70, kCompressed = 0x40;  // of a frame's first octet
constexpr std::size_t kMessageOverhead = 64 * 1024;  // for the headers of a short message's fragments

const std::shared_ptr<protocol::Config::con_msg_manager_type>& messages() {
  static thread_local const auto manager = std::make_shared<protocol::Config::con_msg_manager_type>();
  return manager;
}

protocol::Random& random_source() {
  static thread_local protocol::Random random;
  return random;
}

// websocketpp finds out the machine's byte order in the first call that needs it, without a lock: this one
// comes before there are threads.
[[maybe_unused]] const std::uint64_t kByteOrderIsKnown = websocketpp::lib::net::_htonll(1);

}  // namespace

Session::Session(boost::asio::io_context& io, Role role, std::size_t send_limit, std::size_t max_message_size)
    : io_(io),
      reactor_(Reactor::of(io)),
      max_message_size_(max_message_size),
      role_(role),
      send_limit_(send_limit) {}

Session::~Session() = default;

void Session::enter_reactor(Stream stream, std::uint32_t events) {
  stream_ = std::move(stream);
  tls_done_ = !stream_.is_tls();
  interest_ = events;
  last_received_ = reactor_.now();
  reactor_.add(stream_.fd(), *this, events);
  self_ = shared_from_this();
}

void Session::handler_threw(const std::exception& e) {
  spdlog::error("a connection handler threw, closing {}: {}", remote_address_, e.what());
  close(1011, "");
}

// ---- sending

// May a message of so many octets wait here?
Connection::Sent Session::admission(std::size_t bytes) {
  const bool accepting = state_ == State::open || (state_ == State::opening && hold_output_);
  if (!accepting) return Sent::closed;
  if (unsent_ + bytes <= send_limit_) return Sent::accepted;
  ++dropped_;
  on_dropped();
  if (over_limit_since_ == Nanoseconds(0)) over_limit_since_ = reactor_.now();
  return Sent::dropped;
}

Connection::Sent Session::queue_message(const std::shared_ptr<const std::string>& frame) {
  if (const Sent sent = admission(frame->size()); sent != Sent::accepted) return sent;
  on_sent(frame->size(), true);
  enqueue(frame);
  return Sent::accepted;
}

Connection::Sent Session::send(const PreparedText& text) { return queue_message(text.shared()); }

Connection::Sent Session::send_text(std::string_view payload) {
  if (role_ == Role::server) return send(PreparedText(payload));
  if (state_ != State::open) return Sent::closed;
  if (deflate_) return queue_compressed(payload, Opcode::text);
  const auto frame = messages()->get_message();
  if (processor_->prepare_data_frame(new_message(payload, Opcode::text), frame))
    return Sent::closed;  // not UTF-8: a bug
  return queue_message(std::make_shared<const std::string>(frame->get_header() + frame->get_payload()));
}

Connection::Sent Session::send_binary(std::string_view payload) {
  if (role_ == Role::server) {
    std::string frame;
    append_frame_header(frame, Opcode::binary, payload.size());
    frame.append(payload);
    return queue_message(std::make_shared<const std::string>(std::move(frame)));
  }
  if (state_ != State::open) return Sent::closed;
  if (deflate_) return queue_compressed(payload, Opcode::binary);
  const auto frame = messages()->get_message();
  if (processor_->prepare_data_frame(new_message(payload, Opcode::binary), frame)) return Sent::closed;
  return queue_message(std::make_shared<const std::string>(frame->get_header() + frame->get_payload()));
}

// The processor knows no extension: it frames what is compressed as binary, then the first octet says what it
// is. Admitted by its length before: what is compressed must be sent, the next message may refer to it.
Connection::Sent Session::queue_compressed(std::string_view payload, Opcode code) {
  if (const Sent sent = admission(payload.size()); sent != Sent::accepted) return sent;
  const auto frame = messages()->get_message();
  if (processor_->prepare_data_frame(new_message(deflate_->compress(payload), Opcode::binary), frame))
    return Sent::closed;
  std::string bytes = frame->get_header() + frame->get_payload();
  bytes[0] = static_cast<char>(kFin | kCompressed | static_cast<unsigned>(code));
  on_sent(bytes.size(), true);
  enqueue(std::make_shared<const std::string>(std::move(bytes)));
  return Sent::accepted;
}

protocol::MessagePtr Session::new_message(std::string_view payload, Opcode code) {
  const auto message = messages()->get_message(static_cast<opcode::value>(code), payload.size());
  message->set_payload(payload.data(), payload.size());
  return message;
}

void Session::queue_control(protocol::MessagePtr frame) {
  enqueue(std::make_shared<const std::string>(frame->get_header() + frame->get_payload()));
}

void Session::ping(std::string_view payload) {
  if (state_ != State::open) return;
  const auto frame = messages()->get_message();
  if (!processor_->prepare_ping(std::string(payload), frame)) queue_control(frame);
}

void Session::enqueue(const std::shared_ptr<const std::string>& bytes) {
  unsent_ += bytes->size();
  if (gathers_) {
    std::string& gathered = reactor_.gathered();
    if (gathered.size() + bytes->size() <= kGathered) {
      gathered.append(*bytes);
      return;
    }
    queue_gathered();
  }
  out_.push_back(bytes);
  if (!hold_output_ && !corked_) reactor_.flush_soon(*this);
}

// While it is corked, a connection with nothing in its queue gathers copies of small frames in the loop's
// storage: that is warm in the cache, and a copy is cheaper than a share in each frame.
void Session::cork() {
  corked_ = true;
  const bool can_write = stream_.is_open() && tls_done_ && !hold_output_ && (interest_ & EPOLLOUT) == 0;
  gathers_ = can_write && out_.empty() && reactor_.gathered().empty();
}

void Session::uncork() {
  corked_ = false;
  if (!gathers_) {
    const bool awaited = (interest_ & EPOLLOUT) != 0;  // the kernel is full, and will tell when it is not
    if (!out_.empty() && !awaited) flush();
    return;
  }
  std::string& gathered = reactor_.gathered();
  if (!gathered.empty()) {
    const iovec all{gathered.data(), gathered.size()};
    const Stream::Outcome outcome = stream_.write(&all, 1);
    if (outcome.status == Stream::Status::error || outcome.status == Stream::Status::eof)
      return on_end(stream_.last_error());
    unsent_ -= outcome.bytes;
    gathered.erase(0, outcome.bytes);
    over_limit_since_ = Nanoseconds(0);
  }
  if (!gathered.empty()) {
    queue_gathered();
    update_interest();
  }
  gathers_ = false;
}

// What has been gathered becomes the queue: it got too much, or the kernel did not take it all.
void Session::queue_gathered() {
  gathers_ = false;
  std::string& gathered = reactor_.gathered();
  if (!gathered.empty()) out_.push_back(std::make_shared<const std::string>(gathered));
  gathered.clear();
}

void Session::release_output(std::string first) {
  hold_output_ = false;
  unsent_ += first.size();
  out_.insert(out_.begin(), std::make_shared<const std::string>(std::move(first)));
  reactor_.flush_soon(*this);
}

void Session::discard_unsent() {
  if (gathers_) queue_gathered();
  const std::size_t keep = out_offset_ > 0 ? out_head_ + 1 : out_head_;
  for (std::size_t i = keep; i < out_.size(); ++i) unsent_ -= out_[i]->size();
  out_.resize(std::min(keep, out_.size()));
}

void Session::flush() {
  if (!stream_.is_open() || hold_output_ || !tls_done_) return;
  while (out_head_ < out_.size()) {
    iovec parts[kFramesPerWrite];
    int count = 0;
    for (std::size_t i = out_head_; i < out_.size() && count < kFramesPerWrite; ++i, ++count) {
      const std::size_t skip = i == out_head_ ? out_offset_ : 0;
      parts[count].iov_base = const_cast<char*>(out_[i]->data() + skip);
      parts[count].iov_len = out_[i]->size() - skip;
    }
    const Stream::Outcome outcome = stream_.write(parts, count);
    if (outcome.status == Stream::Status::error || outcome.status == Stream::Status::eof)
      return on_end(stream_.last_error());
    if (outcome.status != Stream::Status::ok) break;
    unsent_ -= outcome.bytes;
    std::size_t left = outcome.bytes;
    while (left > 0 || (out_head_ < out_.size() && out_[out_head_]->empty())) {
      const std::size_t rest = out_[out_head_]->size() - out_offset_;
      if (left < rest) {
        out_offset_ += left;
        break;
      }
      left -= rest;
      out_[out_head_++].reset();
      out_offset_ = 0;
    }
  }
  if (out_head_ == out_.size()) {
    out_.clear();
    out_head_ = 0;
    if (state_ == State::lingering && !wrote_fin_) {
      wrote_fin_ = true;
      stream_.finish_writing();
    }
  } else if (out_head_ > 256) {
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(out_head_));
    out_head_ = 0;
  }
  if (unsent_ < send_limit_ / 2) over_limit_since_ = Nanoseconds(0);
  update_interest();
}

// ---- receiving

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
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) read_some();
  } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    on_end("the connection was reset");
  }
}

void Session::read_some() {
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
    if (!stream_.is_tls()) return;  // level-triggered: what is left is reported again
    if (!want_read_ && state_ != State::lingering) return;
  }
}

void Session::begin_open() {
  processor_ = std::make_unique<protocol::Processor>(stream_.is_tls(), role_ == Role::server, messages(),
                                                     random_source());
  processor_->set_max_message_size(max_message_size_);
  state_ = State::open;
  deadline_ = Nanoseconds(0);
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
  if ((octet & kReserved) != kCompressed || (code != 1 && code != 2)) return;
  compressed_ = code == 1 ? Opcode::text : Opcode::binary;
  first = static_cast<char>((octet & kFin) | static_cast<unsigned>(Opcode::binary));
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
    const auto frame = messages()->get_message();
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
    const auto frame = messages()->get_message();
    if (!processor_->prepare_close(status, status == close::status::no_status ? std::string() : reason,
                                   frame))
      queue_control(frame);
  }
  finish({status, reason});
  linger(kLingerLimit);
}

// ---- ending

void Session::close(std::uint16_t code, std::string_view reason) {
  if (state_ == State::opening && hold_output_) return on_opening_end("closed before it was open");
  if (state_ != State::open) return;
  const auto frame = messages()->get_message();
  if (!processor_->prepare_close(code, std::string(reason.substr(0, 123)), frame)) queue_control(frame);
  state_ = State::closing;
  deadline_ = reactor_.now() + kCloseLimit;
  want_read_ = true;
  update_interest();
}

void Session::fail(std::uint16_t code, const std::string& reason) {
  on_failed(code);
  if (state_ == State::open) {
    const auto frame = messages()->get_message();
    if (!processor_->prepare_close(code, reason.substr(0, 123), frame)) queue_control(frame);
  }
  finish({1006, reason});
  linger(kLingerLimit);
}

void Session::abort() {
  if (state_ == State::opening) on_opening_end("aborted");
  finish({1006, ""});
  close_stream(true);
}

void Session::finish(const CloseInfo& info) {
  finish_with([this, info] { handler_->on_close(info); });
}

void Session::finish_with(std::function<void()> last_call) {
  if (finished_ || !handler_) return;
  finished_ = true;
  boost::asio::post(io_, [self = shared_from_this(), last_call = std::move(last_call)] {
    self->guarded(last_call);
    self->handler_.reset();
  });
}

void Session::linger(Nanoseconds limit) {
  if (state_ == State::closed) return;
  state_ = State::lingering;
  deadline_ = reactor_.now() + limit;
  hold_output_ = false;
  want_read_ = true;
  reactor_.flush_soon(*this);
}

void Session::on_end(const std::string& why) {
  if (state_ == State::opening) on_opening_end(why);
  finish({1006, why});
  close_stream();
}

void Session::close_stream(bool reset) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  if (gathers_) queue_gathered();
  out_.clear();
  out_head_ = out_offset_ = unsent_ = 0;
  if (!stream_.is_open()) return;
  reactor_.remove(stream_.fd(), *this, std::move(self_));
  stream_.close(reset);
  on_stream_closed();
}

void Session::on_tick(Nanoseconds now) {
  if (deadline_ != Nanoseconds(0) && now >= deadline_) {
    if (state_ == State::opening) return on_opening_deadline();
    on_unfinished_close();
    finish({1006, "the peer did not finish the closing handshake"});
    return close_stream(state_ == State::closing);
  }
  if (state_ == State::open) on_open_tick(now);
}

KernelQueues Session::kernel_queues() const {
  int unread = 0;
  int unsent = 0;
  if (!stream_.is_open()) return {};
  if (::ioctl(stream_.fd(), SIOCINQ, &unread) != 0) unread = 0;
  if (::ioctl(stream_.fd(), SIOCOUTQ, &unsent) != 0) unsent = 0;
  return {static_cast<std::uint32_t>(unread), static_cast<std::uint32_t>(unsent)};
}

void Session::pause_reading() {
  want_read_ = false;
  update_interest();
}

void Session::resume_reading() {
  if (want_read_) return;
  want_read_ = true;
  update_interest();
  // TLS may hold octets that the kernel knows nothing of.
  if (stream_.is_tls())
    boost::asio::post(io_, [self = shared_from_this()] {
      if (self->stream_.is_open() && self->want_read_) self->read_some();
    });
}

void Session::update_interest() {
  if (!stream_.is_open() || !tls_done_) return;
  const bool reading = want_read_ || state_ == State::lingering;
  const bool writing = out_head_ < out_.size() && !hold_output_;
  const std::uint32_t interest = (reading ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
                                 (writing ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  if (interest != interest_) set_interest(interest);
}

void Session::set_interest(std::uint32_t events) {
  interest_ = events;
  reactor_.modify(stream_.fd(), *this, events);
}

}  // namespace roomcheck::websocket
