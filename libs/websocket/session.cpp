// The life of a session: into the reactor, and out of it.
#include "libs/websocket/session.h"

#include <linux/sockios.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <exception>

#include "libs/base/prefetch.h"

namespace roomcheck::websocket {
namespace {

using std::chrono::seconds;

constexpr Nanoseconds kCloseLimit = seconds(5);   // for the peer's answer to our close frame
constexpr Nanoseconds kLingerLimit = seconds(2);  // for the peer to read our last words

// websocketpp finds out the machine's byte order in the first call that needs it, without a lock: this one
// comes before there are threads.
[[maybe_unused]] const std::uint64_t kByteOrderIsKnown = websocketpp::lib::net::_htonll(1);

}  // namespace

void fetch_ahead(const Connection* connection) { prefetch(connection, sizeof(Session)); }

Session::Session(boost::asio::io_context& io, Role role, std::size_t send_limit, std::size_t max_message_size)
    : reactor_(Reactor::of(io)), max_message_size_(max_message_size), role_(role), send_limit_(send_limit) {}

Session::~Session() = default;

void Session::enter_reactor(Stream stream, std::uint32_t events) {
  stream_ = std::move(stream);
  tls_done_ = !stream_.is_tls();
  interest_ = events;
  last_received_ = reactor_.now();
  reactor_.add(stream_.fd(), *this, trigger(events));
  self_ = shared_from_this();
}

void Session::handler_threw(const std::exception& e) {
  spdlog::error("a connection handler threw, closing {}: {}", remote_address_, e.what());
  close(1011, "");
}

void Session::close(std::uint16_t code, std::string_view reason) {
  if (state_ == State::opening && hold_output_) return on_opening_end("closed before it was open");
  if (state_ != State::open) return;
  const auto frame = protocol::messages()->get_message();
  if (!processor_->prepare_close(code, std::string(reason.substr(0, 123)), frame)) queue_control(frame);
  state_ = State::closing;
  set_deadline(reactor_.now() + kCloseLimit);
  want_read_ = true;
  update_interest();
}

void Session::fail(std::uint16_t code, const std::string& reason) {
  on_failed(code);
  if (state_ == State::open) {
    const auto frame = protocol::messages()->get_message();
    if (!processor_->prepare_close(code, reason.substr(0, 123), frame)) queue_control(frame);
  }
  finish({1006, reason});
  linger();
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
  reactor_.post([self = shared_from_this(), last_call = std::move(last_call)] {
    self->guarded(last_call);
    self->handler_.reset();
  });
}

void Session::linger() {
  if (state_ == State::closed) return;
  state_ = State::lingering;
  set_deadline(reactor_.now() + kLingerLimit);
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

// An open client looks at nothing else when it is ticked.
void Session::set_deadline(Nanoseconds at) {
  deadline_ = at;
  if (role_ == Role::client) reactor_.rest(*this, at == Nanoseconds(0));
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
    reactor_.post([self = shared_from_this()] {
      if (self->stream_.is_open() && self->want_read_) self->read_some(false);
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
  reactor_.modify(stream_.fd(), *this, trigger(events));
}

// A plain socket that only reads is watched edge-triggered: level-triggered, the kernel would look at it once
// more after each read. With TLS the kernel does not know what is still to be read.
std::uint32_t Session::trigger(std::uint32_t events) const {
  const bool edge = events == EPOLLIN && !stream_.is_tls();
  return edge ? EPOLLIN | EPOLLRDHUP | EPOLLET : events;
}

}  // namespace roomcheck::websocket
