#include "libs/websocket/reactor.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cassert>
#include <stdexcept>

#include "libs/base/prefetch.h"

namespace roomcheck::websocket {
namespace {

// The next sockets are fetched into the cache while one is worked on.
constexpr int kAhead = 1;
constexpr std::size_t kTicksAhead = 4;
constexpr std::size_t kWarm = 384;

constexpr int kEventsATurn = 32;    // of which each may bring a full buffer
constexpr int kHandlersATurn = 32;  // of Asio, then the sockets have theirs

constexpr auto kTick = std::chrono::milliseconds(200);

int make_epoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::runtime_error("cannot create an epoll set: too many open files?");
  return fd;
}

using AsioReactor = boost::asio::detail::epoll_reactor;
int epoll_of(const AsioReactor& reactor);

// Asio does not say which its epoll set is. An explicit instantiation may name what is private (C++17,
// [temp.spec]/6); where another Boost names it differently, this does not compile.
template <int AsioReactor::*Set>
struct Peek {
  friend int epoll_of(const AsioReactor& reactor) { return reactor.*Set; }
};
template struct Peek<&AsioReactor::epoll_fd_>;

}  // namespace

boost::asio::execution_context::id Reactor::id;

Reactor::Reactor(boost::asio::execution_context& context)
    : service(context),
      io_(static_cast<boost::asio::io_context&>(context)),
      epoll_(make_epoll()),
      nested_(io_),
      timer_(io_),
      now_(steady_clock().now()) {}

Reactor::~Reactor() = default;

void Reactor::shutdown() {
  boost::system::error_code ignored;
  nested_.release();
  ::close(epoll_);
  if (wake_ >= 0) ::close(wake_);
  timer_.cancel(ignored);
  dirty_.clear();
  removed_.clear();
}

void Reactor::add(int fd, Pollable& socket, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &socket;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) throw std::runtime_error("epoll_ctl failed");
  socket.slot_ = sockets_.size();
  sockets_.push_back({&socket, false});
  wait();
  tick();
}

void Reactor::modify(int fd, Pollable& socket, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &socket;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void Reactor::remove(int fd, Pollable& socket, std::shared_ptr<void> owner) {
  removed_.push_back(std::move(owner));
  post_flush();
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  assert(sockets_[socket.slot_].socket == &socket);
  sockets_.back().socket->slot_ = socket.slot_;
  sockets_[socket.slot_] = sockets_.back();
  sockets_.pop_back();
  for (int i = current_; i < count_; ++i)
    if (events_[static_cast<std::size_t>(i)].data.ptr == &socket)
      events_[static_cast<std::size_t>(i)].data.ptr = nullptr;
  if (!sockets_.empty()) return;
  boost::system::error_code ignored;  // nothing left to wait for: the loop may end
  nested_.cancel(ignored);
  timer_.cancel(ignored);
}

void Reactor::rest(Pollable& socket, bool rests) {
  assert(sockets_[socket.slot_].socket == &socket);
  sockets_[socket.slot_].rests = rests;
}

void Reactor::run() {
  nested_.release();
  watch_asio();
  runner_ = std::this_thread::get_id();
  while (!io_.stopped()) {
    int handlers = 0;
    while (handlers < kHandlersATurn && io_.poll_one() > 0) ++handlers;
    asio_due_ = handlers == kHandlersATurn;
    if (asio_due_) take(0);
    while (!asio_due_ && !io_.stopped()) take(-1);
  }
  runner_ = std::thread::id();
}

void Reactor::watch_asio() {
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.data.ptr = this;
  event.events = EPOLLIN | EPOLLET;  // each write is an event, nobody reads
  const bool wakes = wake_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0;
  event.events = EPOLLIN;
  const int asio = epoll_of(boost::asio::use_service<AsioReactor>(io_));
  if (!wakes || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, asio, &event) != 0)
    throw std::runtime_error("cannot watch the event loop: too many open files?");
}

void Reactor::wake() {
  const std::thread::id runner = runner_;
  if (runner == std::this_thread::get_id()) {
    asio_due_ = true;
  } else if (runner != std::thread::id()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  }
}

void Reactor::wait() {
  if (waiting_ || sockets_.empty() || runner_.load() != std::thread::id()) return;
  waiting_ = true;
  if (!nested_.is_open()) nested_.assign(epoll_);
  nested_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& code) {
                       waiting_ = false;
                       if (!code) pass();
                       wait();
                     });
}

// Until nothing is due, frames wait to leave, or others want their turn: to come back by way of Asio costs
// three system calls.
void Reactor::pass() {
  for (int handled = 0; handled < kEventsATurn && !flush_posted_; handled += count_)
    if (take(0) <= 0) break;
}

// The sockets that have something, once. How many; timeout_ms: as epoll_wait(2) takes it.
int Reactor::take(int timeout_ms) {
  count_ = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  if (count_ <= 0) return count_;
  prefetch(events_[0].data.ptr, kWarm);
  now_ = steady_clock().now();
  for (current_ = 0; current_ < count_;) {
    const epoll_event& event = events_[static_cast<std::size_t>(current_++)];
    if (current_ + kAhead < count_)
      prefetch(events_[static_cast<std::size_t>(current_ + kAhead)].data.ptr, kWarm);
    if (event.data.ptr == this) {
      asio_due_ = true;
    } else if (event.data.ptr != nullptr) {
      static_cast<Pollable*>(event.data.ptr)->on_events(event.events);
    }
  }
  return count_;
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
  post([this] { flush_dirty(); });
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
