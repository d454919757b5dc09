#pragma once
#include "libs/base/clock.h"

namespace roomcheck::testkit {

// A clock that a test moves by hand.
//
// Thread: one.
class ManualClock final : public Clock {
 public:
  Nanoseconds now() const override { return now_; }
  void advance(Nanoseconds by) { now_ += by; }

 private:
  Nanoseconds now_ = std::chrono::hours(1);  // not zero: nothing may take it for "unset"
};

}  // namespace roomcheck::testkit
