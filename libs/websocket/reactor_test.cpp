#include "libs/websocket/reactor.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <functional>
#include <future>
#include <memory>
#include <thread>

namespace roomcheck::websocket {
namespace {

using namespace std::chrono_literals;

// Has something to be read from the start, and always has.
class Readable final : public Pollable {
 public:
  Readable(Reactor& reactor, std::function<void()> read) : reactor_(reactor), read_(std::move(read)) {
    reactor_.add(fd_, *this, EPOLLIN);
  }
  ~Readable() override { ::close(fd_); }
  void remove() { reactor_.remove(fd_, *this, nullptr); }
  void on_events(std::uint32_t) override { read_(); }
  void flush() override {}
  void on_tick(Nanoseconds) override {}

 private:
  Reactor& reactor_;
  std::function<void()> read_;
  const int fd_ = ::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
};

// Reactor::run(). A fault would leave it asleep: the limit wakes it.
class ReactorRun : public testing::Test {
 protected:
  ReactorRun() {
    limit_.async_wait([this](const boost::system::error_code& code) {
      if (code) return;
      ADD_FAILURE() << "the loop slept";
      io.stop();
    });
  }
  void nothing_left() { limit_.cancel(); }

  boost::asio::io_context io{1};
  Reactor& reactor = Reactor::of(io);

 private:
  boost::asio::steady_timer limit_{io, 20s};
};

TEST_F(ReactorRun, HearsOtherThreadsWhileItSleeps) {
  std::thread other([this] {
    for (int i = 0; i < 100; ++i) {
      const auto heard = std::make_shared<std::promise<void>>();
      reactor.post([heard] { heard->set_value(); });
      if (heard->get_future().wait_for(30s) != std::future_status::ready) return;
    }
    reactor.post([this] { io.stop(); });
  });
  reactor.run();
  other.join();
}

TEST_F(ReactorRun, WhatASocketPostsIsNext) {
  int reads = 0;
  Readable socket(reactor, [&] {
    if (++reads == 1) reactor.post([this] { io.stop(); });
  });
  reactor.run();
  EXPECT_EQ(reads, 1);
}

TEST_F(ReactorRun, ASocketMayStopIt) {
  int reads = 0;
  Readable socket(reactor, [&] {
    ++reads;
    io.stop();
  });
  reactor.run();
  EXPECT_EQ(reads, 1);
}

TEST_F(ReactorRun, EndsWithItsLastSocket) {
  Readable socket(reactor, [&] {
    socket.remove();
    nothing_left();
  });
  reactor.run();
  EXPECT_TRUE(io.stopped());
}

TEST_F(ReactorRun, WhoPostsWithoutEndLeavesSocketsTheirTurn) {
  int posts = 0;
  const std::function<void()> again = [&] {
    if (++posts < 1000) reactor.post(again);
  };
  reactor.post(again);
  Readable socket(reactor, [this] { io.stop(); });
  reactor.run();
  EXPECT_LE(posts, 32);
}

TEST_F(ReactorRun, ASocketThatAlwaysHasMoreLeavesTimersTheirTurn) {
  bool had_turn = false;
  boost::asio::steady_timer timer(io, 10ms);
  timer.async_wait([&](const boost::system::error_code&) {
    had_turn = true;
    io.stop();
  });
  Readable socket(reactor, [this, limit = steady_clock().now() + 20s] {
    if (steady_clock().now() > limit) io.stop();
  });
  reactor.run();
  EXPECT_TRUE(had_turn);
}

}  // namespace
}  // namespace roomcheck::websocket
