#pragma once
#include <chrono>

namespace roomcheck {

using Nanoseconds = std::chrono::nanoseconds;

// Where time enters. Logic never asks the system for the time: it is given a Clock, or a time as an argument,
// so that a test can move it by hand (testkit::ManualClock).
//
// Thread: now() may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // Time since an arbitrary fixed point, never going backwards.
  virtual Nanoseconds now() const = 0;
};

// CLOCK_MONOTONIC: unaffected by clock steps, the same for all threads and processes of one machine.
class SteadyClock final : public Clock {
 public:
  Nanoseconds now() const override;
};

// The one steady clock for programs to hand down.
const Clock& steady_clock();

// Wall time, only for what people read ("started") and what Redis stores (scores).
std::chrono::system_clock::time_point wall_now();
}  // namespace roomcheck
