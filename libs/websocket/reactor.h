#pragma once
#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/websocket/gathered.h"

namespace roomcheck::websocket {

// A socket on the reactor.
class Pollable {
 public:
  virtual ~Pollable() = default;
  virtual void on_events(std::uint32_t epoll_events) = 0;
  virtual void flush() = 0;                   // see Reactor::flush_soon
  virtual void on_tick(Nanoseconds now) = 0;  // a few times a second, unless it rests: deadlines

 private:
  friend class Reactor;
  std::size_t slot_ = 0;  // in Reactor::sockets_
  bool dirty_ = false;    // in Reactor::dirty_
};

// The sockets of one event loop: an epoll set of our own, so that timers, posts and Redis stay ordinary Asio
// while a read costs one system call and no allocation (docs/decisions/0002). Who runs the loop:
//
//   io_context::run()   our set is nested in Asio's: nothing to know, but to sleep and to wake costs three
//                       system calls more than the sockets alone would.
//   Reactor::run()      Asio's set is nested in ours: sockets cost what they cost. post() instead of Asio's.
//
// Thread:   the loop that runs the io_context.
// Capacity: one read buffer of 64 KiB for all sockets; at most 543 events before others on the io_context
// have their turn, more than 32 only if they are due together.
class Reactor final : public boost::asio::execution_context::service {
 public:
  using key_type = Reactor;
  static boost::asio::execution_context::id id;
  explicit Reactor(boost::asio::execution_context& context);
  ~Reactor() override;
  static Reactor& of(boost::asio::io_context& io) { return boost::asio::use_service<Reactor>(io); }

  // In place of io_context::run(), once. What a socket's turn or another thread has posted without post()
  // waits for what Asio has next: a timer, say.
  void run();
  // As boost::asio::post(), whoever runs the loop. Thread: any.
  template <class Call>
  void post(Call&& call) {
    boost::asio::post(io_, std::forward<Call>(call));
    wake();
  }

  // `events`: as epoll_ctl(2) takes them. A socket added keeps the loop running until it is removed.
  void add(int fd, Pollable& socket, std::uint32_t events);
  void modify(int fd, Pollable& socket, std::uint32_t events);
  // `owner` is let go when nothing on the reactor's stack or list can refer to the socket any more.
  void remove(int fd, Pollable& socket, std::shared_ptr<void> owner);

  // A socket that rests is not ticked (one that was added is): in a crowd of thousands each tick is a cache
  // miss.
  void rest(Pollable& socket, bool rests);

  // Calls flush() once, after everything that is due in this turn of the loop has had its say: frames of one
  // turn leave in one write.
  void flush_soon(Pollable& socket);

  Gathered& gathered() { return gathered_; }  // of the one session that is corked; see Session::cork

  std::array<char, 65536>& buffer() { return buffer_; }
  Nanoseconds now() const { return now_; }  // of the last read, or of the turn of the loop before any
  Nanoseconds read_clock() { return now_ = steady_clock().now(); }

 private:
  struct Slot {
    Pollable* socket;
    bool rests;
  };
  void shutdown() override;
  void watch_asio();
  void wake();
  void post_flush();
  void wait();
  void pass();
  int take(int timeout_ms);
  void flush_dirty();
  void tick();

  boost::asio::io_context& io_;
  const int epoll_;
  boost::asio::posix::stream_descriptor nested_;  // epoll_, in io_context::run()
  boost::asio::steady_timer timer_;
  std::vector<Slot> sockets_;
  std::vector<Pollable*> dirty_;
  std::vector<std::shared_ptr<void>> removed_;  // until the flush after their removal
  Gathered gathered_;
  std::array<epoll_event, 512> events_{};
  int current_ = 0;  // events_[current_, count_) are still to be handled in this pass
  int count_ = 0;
  bool waiting_ = false;
  bool flush_posted_ = false;
  bool ticking_ = false;
  // In run(), from here to now_.
  std::atomic<std::thread::id> runner_{};
  int wake_ = -1;          // an eventfd
  bool asio_due_ = false;  // a timer or a post
  Nanoseconds now_{0};
  std::array<char, 65536> buffer_{};
};

}  // namespace roomcheck::websocket
