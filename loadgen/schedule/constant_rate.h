#pragma once
#include <cstdint>

#include "libs/base/clock.h"

namespace roomcheck::loadgen {

// A message every 1/rate seconds: due(n) = n * 1e9 / rate nanoseconds after the start, a pure function of n.
// It never hears of the target, so a target that stalls does not slow it down (open loop).
//
// Thread: any; immutable.
class ConstantRate {
 public:
  // REQUIRES: per_second > 0.
  explicit ConstantRate(double per_second) : per_second_(per_second) {}

  Nanoseconds due(std::uint64_t n) const;
  // How many are due before `end`: the smallest n with due(n) >= end.
  std::uint64_t count_before(Nanoseconds end) const;

 private:
  double per_second_;
};

}  // namespace roomcheck::loadgen
