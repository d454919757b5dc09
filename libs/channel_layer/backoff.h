#pragma once
#include <cstdint>
#include <random>

#include "libs/base/clock.h"

namespace roomcheck::channel_layer {

// How long to wait before the next attempt to connect: doubling from 50 ms to at most 2 s, each drawn from
// the upper half of its span, so that a thousand nodes do not come back in step.
//
// Thread: one.
class Backoff {
 public:
  explicit Backoff(std::uint64_t seed) : random_(seed) {}

  Nanoseconds next();
  void reset() { failures_ = 0; }

 private:
  std::mt19937_64 random_;
  unsigned failures_ = 0;
};

}  // namespace roomcheck::channel_layer
