#include "libs/channel_layer/backoff.h"

#include <algorithm>

namespace roomcheck::channel_layer {

using namespace std::chrono_literals;

Nanoseconds Backoff::next() {
  constexpr Nanoseconds kFirst = 50ms, kMost = 2s;
  const Nanoseconds span = std::min<Nanoseconds>(kMost, kFirst * (1U << std::min(failures_, 10U)));
  ++failures_;
  std::uniform_int_distribution<Nanoseconds::rep> pick(span.count() / 2, span.count());
  return Nanoseconds(pick(random_));
}

}  // namespace roomcheck::channel_layer
