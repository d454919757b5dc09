#include "libs/base/clock.h"

namespace roomcheck {

Nanoseconds SteadyClock::now() const {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

const Clock& steady_clock() {
  static const SteadyClock clock;
  return clock;
}

std::chrono::system_clock::time_point wall_now() { return std::chrono::system_clock::now(); }

}  // namespace roomcheck
