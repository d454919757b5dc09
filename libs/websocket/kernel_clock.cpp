#include "libs/websocket/kernel_clock.h"

#include <algorithm>

namespace roomcheck::websocket {
namespace {

class RealClock final : public Clock {
 public:
  Nanoseconds now() const override {
    return std::chrono::duration_cast<Nanoseconds>(wall_now().time_since_epoch());
  }
};

const RealClock& real_clock() {
  static const RealClock clock;
  return clock;
}

}  // namespace

KernelClock::KernelClock() : KernelClock(steady_clock(), real_clock()) {}

void KernelClock::measure() {
  Nanoseconds tightest = Nanoseconds::max();
  for (int i = 0; i < kTries && tightest > kTight; ++i) {
    const Nanoseconds before = steady_.now(), real = real_.now(), after = steady_.now();
    if (after - before >= tightest) continue;
    tightest = after - before;
    difference_ = before + tightest / 2 - real;
    measured_ = after;
  }
}

void KernelClock::note(Nanoseconds real, Nanoseconds now) {
  noted_ = Nanoseconds(0);
  if (real == Nanoseconds(0)) return;
  if (measured_ == Nanoseconds(0) || now - measured_ >= kRemeasure || real + difference_ > now) measure();
  noted_ = std::min(real + difference_, now);
}

}  // namespace roomcheck::websocket
