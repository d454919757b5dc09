// What a session sends: messages become frames, frames wait in a queue, the queue leaves in few writes.
#include <sys/epoll.h>

#include "libs/websocket/session.h"

namespace roomcheck::websocket {
namespace {

namespace opcode = websocketpp::frame::opcode;

constexpr int kFramesPerWrite = 64;

}  // namespace

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
  const auto frame = protocol::messages()->get_message();
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
  const auto frame = protocol::messages()->get_message();
  if (processor_->prepare_data_frame(new_message(payload, Opcode::binary), frame)) return Sent::closed;
  return queue_message(std::make_shared<const std::string>(frame->get_header() + frame->get_payload()));
}

// The processor knows no extension: it frames what is compressed as binary, then the first octet says what it
// is. Admitted by its length before: what is compressed must be sent, the next message may refer to it.
Connection::Sent Session::queue_compressed(std::string_view payload, Opcode code) {
  if (const Sent sent = admission(payload.size()); sent != Sent::accepted) return sent;
  const auto frame = protocol::messages()->get_message();
  if (processor_->prepare_data_frame(new_message(deflate_->compress(payload), Opcode::binary), frame))
    return Sent::closed;
  std::string bytes = frame->get_header() + frame->get_payload();
  bytes[0] = static_cast<char>(protocol::kFin | protocol::kCompressed | static_cast<unsigned>(code));
  on_sent(bytes.size(), true);
  enqueue(std::make_shared<const std::string>(std::move(bytes)));
  return Sent::accepted;
}

protocol::MessagePtr Session::new_message(std::string_view payload, Opcode code) {
  const auto message = protocol::messages()->get_message(static_cast<opcode::value>(code), payload.size());
  message->set_payload(payload.data(), payload.size());
  return message;
}

void Session::queue_control(protocol::MessagePtr frame) {
  enqueue(std::make_shared<const std::string>(frame->get_header() + frame->get_payload()));
}

void Session::ping(std::string_view payload) {
  if (state_ != State::open) return;
  const auto frame = protocol::messages()->get_message();
  if (!processor_->prepare_ping(std::string(payload), frame)) queue_control(frame);
}

void Session::enqueue(const std::shared_ptr<const std::string>& bytes) {
  unsent_ += bytes->size();
  if (gathers_) {
    if (reactor_.gathered().append(bytes)) return;
    queue_gathered();
  }
  out_.push_back(bytes);
  if (!hold_output_ && !corked_) reactor_.flush_soon(*this);
}

// While it is corked, a connection with nothing in its queue gathers small frames in the loop's storage,
// which is warm in the cache.
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
  std::size_t written = 0;
  if (const std::string_view due = reactor_.gathered().bytes(); !due.empty()) {
    const iovec all{const_cast<char*>(due.data()), due.size()};
    const Stream::Outcome outcome = stream_.write(&all, 1);
    if (outcome.status == Stream::Status::error || outcome.status == Stream::Status::eof)
      return on_end(stream_.last_error());
    unsent_ -= outcome.bytes;
    over_limit_since_ = Nanoseconds(0);
    written = outcome.bytes;
  }
  queue_gathered(written);
  if (!out_.empty()) update_interest();
}

// What has been gathered, but for what is `written`, becomes the queue: it got too much, or the kernel did
// not take it all.
void Session::queue_gathered(std::size_t written) {
  gathers_ = false;
  const std::string_view rest = reactor_.gathered().bytes().substr(written);
  if (!rest.empty()) out_.push_back(std::make_shared<const std::string>(rest));
  reactor_.gathered().clear();
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

}  // namespace roomcheck::websocket
