#include "libs/websocket/reactor.h"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cassert>
#include <stdexcept>

#include "libs/base/prefetch.h"

namespace roomcheck::websocket {
namespace {

// The next sockets are fetched into the cache while one is worked on.
constexpr int kAhead = 1;
constexpr std::size_t kTicksAhead = 4;
constexpr std::size_t kWarm = 384;

constexpr int kEventsATurn = 32;  // of which each may bring a full buffer

constexpr auto kTick = std::chrono::milliseconds(200);

int make_epoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::runtime_error("cannot create an epoll set: too many open files?");
  return fd;
}

}  // namespace

boost::asio::execution_context::id Reactor::id;

Reactor::Reactor(boost::asio::execution_context& context)
    : service(context),
      io_(static_cast<boost::asio::io_context&>(context)),
      epoll_(io_, make_epoll()),
      timer_(io_),
      now_(steady_clock().now()) {}

Reactor::~Reactor() = default;

void Reactor::shutdown() {
  boost::system::error_code ignored;
  epoll_.close(ignored);
  timer_.cancel(ignored);
  dirty_.clear();
  removed_.clear();
}

void Reactor::add(int fd, Pollable& socket, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &socket;
  if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &event) != 0)
    throw std::runtime_error("epoll_ctl failed");
  socket.slot_ = sockets_.size();
  sockets_.push_back({&socket, false});
  wait();
  tick();
}

void Reactor::modify(int fd, Pollable& socket, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &socket;
  ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, fd, &event);
}

void Reactor::remove(int fd, Pollable& socket, std::shared_ptr<void> owner) {
  removed_.push_back(std::move(owner));
  post_flush();
  ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
  assert(sockets_[socket.slot_].socket == &socket);
  sockets_.back().socket->slot_ = socket.slot_;
  sockets_[socket.slot_] = sockets_.back();
  sockets_.pop_back();
  for (int i = current_; i < count_; ++i)
    if (events_[static_cast<std::size_t>(i)].data.ptr == &socket)
      events_[static_cast<std::size_t>(i)].data.ptr = nullptr;
  if (!sockets_.empty()) return;
  boost::system::error_code ignored;  // nothing left to wait for: io_context::run() may end
  epoll_.cancel(ignored);
  timer_.cancel(ignored);
}

void Reactor::rest(Pollable& socket, bool rests) {
  assert(sockets_[socket.slot_].socket == &socket);
  sockets_[socket.slot_].rests = rests;
}

void Reactor::wait() {
  if (waiting_ || sockets_.empty()) return;
  waiting_ = true;
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [this](const boost::system::error_code& code) {
                      waiting_ = false;
                      if (!code) pass();
                      if (epoll_.is_open()) wait();
                    });
}

// Until nothing is due, frames wait to leave, or others want their turn: to come back by way of Asio costs
// three system calls.
void Reactor::pass() {
  for (int handled = 0; handled < kEventsATurn && !flush_posted_; handled += count_) {
    count_ = ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
    if (count_ <= 0) break;
    prefetch(events_[0].data.ptr, kWarm);
    now_ = steady_clock().now();
    for (current_ = 0; current_ < count_;) {
      const epoll_event& event = events_[static_cast<std::size_t>(current_++)];
      if (current_ + kAhead < count_)
        prefetch(events_[static_cast<std::size_t>(current_ + kAhead)].data.ptr, kWarm);
      auto* socket = static_cast<Pollable*>(event.data.ptr);
      if (socket == nullptr) continue;
      socket->on_events(event.events);
    }
  }
  current_ = count_ = 0;
}

void Reactor::flush_soon(Pollable& socket) {
  if (socket.dirty_) return;
  socket.dirty_ = true;
  dirty_.push_back(&socket);
  post_flush();
}

void Reactor::post_flush() {
  if (flush_posted_) return;
  flush_posted_ = true;
  boost::asio::post(io_, [this] { flush_dirty(); });
}

void Reactor::flush_dirty() {
  flush_posted_ = false;
  std::vector<Pollable*> due;
  due.swap(dirty_);
  std::vector<std::shared_ptr<void>> removed;
  removed.swap(removed_);
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (i + kAhead < due.size()) prefetch(due[i + kAhead], kWarm);
    due[i]->dirty_ = false;
    due[i]->flush();
  }
  due.clear();
  if (dirty_.empty()) dirty_.swap(due);  // keeps the capacity
}

void Reactor::tick() {
  if (ticking_ || sockets_.empty()) return;
  ticking_ = true;
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& code) {
    ticking_ = false;
    if (!epoll_.is_open()) return;
    if (!code) {
      now_ = steady_clock().now();
      // From the back: on_tick may remove its own socket, which moves the last one into its place.
      for (std::size_t i = sockets_.size(); i-- > 0;) {
        if (i >= sockets_.size()) continue;
        if (i >= kTicksAhead && !sockets_[i - kTicksAhead].rests)
          prefetch(sockets_[i - kTicksAhead].socket, kWarm);
        if (!sockets_[i].rests) sockets_[i].socket->on_tick(now_);
      }
    }
    tick();
  });
}

}  // namespace roomcheck::websocket
