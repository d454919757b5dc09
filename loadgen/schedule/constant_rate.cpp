#include "loadgen/schedule/constant_rate.h"

#include <cmath>

namespace roomcheck::loadgen {

Nanoseconds ConstantRate::due(std::uint64_t n) const {
  return Nanoseconds(std::llround(static_cast<long double>(n) * 1e9L / per_second_));
}

std::uint64_t ConstantRate::count_before(Nanoseconds end) const {
  if (end <= Nanoseconds(0)) return 0;
  auto n = static_cast<std::uint64_t>(static_cast<long double>(end.count()) * per_second_ / 1e9L);
  while (n > 0 && due(n - 1) >= end) --n;  // due() rounds: at most a step or two
  while (due(n) < end) ++n;
  return n;
}

}  // namespace roomcheck::loadgen
