#include "reference_server/mutants/load_mutants.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <ctime>
#include <thread>

namespace roomcheck::reference_server {
namespace {

using namespace std::chrono_literals;

struct Sink final : websocket::Connection {
  Sent send_text(std::string_view) override {
    ++sent;
    return Sent::accepted;
  }
  Sent send_binary(std::string_view) override { return Sent::accepted; }
  Sent send(const websocket::PreparedText&) override { return Sent::accepted; }
  void ping(std::string_view) override {}
  void close(std::uint16_t, std::string_view) override {}
  void abort() override {}
  void pause_reading() override {}
  void resume_reading() override {}
  std::size_t unsent_bytes() const override { return 0; }
  std::uint64_t dropped() const override { return 0; }
  std::string remote_address() const override { return ""; }
  int sent = 0;
};

Nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

// Another thread that wants the same core all the time.
TEST(LoadMutants, BurnIsOfTheCpuAlsoOnABusyMachine) {
  cpu_set_t before, one;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (int i = 0; CPU_COUNT(&one) == 0; ++i)
    if (CPU_ISSET(i, &before)) CPU_SET(i, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  std::atomic<bool> ended{false};
  std::thread other([&] {  // on this core, too
    while (!ended) {
    }
  });
  LoadPlan plan;
  plan.burn = 1ms;
  LoadMutants mutants(plan);
  boost::asio::io_context io;
  const auto sink = std::make_shared<Sink>();
  const websocket::ConnectionPtr member = mutants.wrap(sink, io);
  const Nanoseconds begun = cpu_time();
  for (int i = 0; i < 200; ++i) member->send_text("x");
  const Nanoseconds burnt = cpu_time() - begun;
  ended = true;
  other.join();
  ::sched_setaffinity(0, sizeof before, &before);
  EXPECT_EQ(sink->sent, 200);
  EXPECT_GE(burnt, 200ms);
}

TEST(LoadMutants, WhatStillWaitsEndsWithItsLoop) {
  LoadPlan plan;
  plan.delay = 1h;
  LoadMutants mutants(plan);
  std::weak_ptr<Sink> gone;
  {
    boost::asio::io_context io;
    const auto sink = std::make_shared<Sink>();
    gone = sink;
    mutants.wrap(sink, io)->send_text("x");
  }
  EXPECT_TRUE(gone.expired());
}

TEST(LoadMutants, BurningNothingIsAPlanToCompareWith) {
  LoadPlan plan;
  EXPECT_FALSE(plan.active());
  plan.burn = 0ns;
  EXPECT_TRUE(plan.active());
}

}  // namespace
}  // namespace roomcheck::reference_server
