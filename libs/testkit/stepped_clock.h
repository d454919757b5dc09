#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "libs/testkit/files.h"

namespace roomcheck::testkit {

// A wall clock that a test steps, as an operator or NTP does, for the programs that it starts with
// environment(). Only CLOCK_REALTIME is stepped; what is measured by CLOCK_MONOTONIC goes on as it is, as in
// the kernel.
class SteppedClock {
 public:
  SteppedClock();
  ~SteppedClock();
  SteppedClock(const SteppedClock&) = delete;
  SteppedClock& operator=(const SteppedClock&) = delete;

  std::map<std::string, std::string> environment() const;
  // From now on the programs' wall clocks are so far from this machine's.
  void set_apart(std::chrono::seconds offset);

 private:
  TemporaryDirectory directory_;
  volatile std::int64_t* offset_seconds_;  // in a file that the programs map, too
};

}  // namespace roomcheck::testkit
