#pragma once
#include "libs/base/clock.h"

namespace roomcheck::websocket {

// Times that the kernel has taken (SO_TIMESTAMPNS: CLOCK_REALTIME), on the steady clock.
//
// The kernel drives both clocks by one rate, so the difference between them changes only when somebody sets
// the wall clock. It is measured again when what is known of it is older than kRemeasure, or when a time
// would lie in the future: between two looks at the steady clock one at the other, of up to kTries the
// tightest, so it is wrong by at most half of what passed between those two (well below 1 us, unless the
// thread was taken off its core each time). A step of the wall clock makes the times of at most kRemeasure
// wrong by it; none is ever after its read.
//
// Thread: one loop.
class KernelClock {
 public:
  static constexpr Nanoseconds kRemeasure = std::chrono::milliseconds(100);

  KernelClock(const Clock& steady, const Clock& real) : steady_(steady), real_(real) {}
  KernelClock();  // the system's

  // Notes the time of the octets that a read at `now` (steady) has brought; `real` 0: the kernel gave none.
  void note(Nanoseconds real, Nanoseconds now);
  // Of the last note(), steady; 0: none.
  Nanoseconds noted() const { return noted_; }

 private:
  static constexpr int kTries = 5;
  static constexpr Nanoseconds kTight = std::chrono::microseconds(1);

  void measure();

  const Clock& steady_;
  const Clock& real_;
  Nanoseconds difference_{0};  // steady - real
  Nanoseconds measured_{0};    // when, steady; 0: never
  Nanoseconds noted_{0};
};

}  // namespace roomcheck::websocket
