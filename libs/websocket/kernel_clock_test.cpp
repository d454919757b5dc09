#include "libs/websocket/kernel_clock.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "libs/testkit/manual_clock.h"

namespace roomcheck::websocket {
namespace {

using namespace std::chrono_literals;

// A wall clock that somebody may set, and that a look at the steady clock may be far away from.
class WallClock final : public Clock {
 public:
  explicit WallClock(testkit::ManualClock& steady) : steady_(steady) {}
  Nanoseconds now() const override {
    for (Nanoseconds& delay : delays)
      if (delay > 0ns) {
        const Nanoseconds at = steady_.now() + ahead;
        steady_.advance(std::exchange(delay, 0ns));
        return at;
      }
    return steady_.now() + ahead;
  }
  Nanoseconds ahead = 400'000h;
  mutable std::vector<Nanoseconds> delays;  // what passes after each of the next looks at it

 private:
  testkit::ManualClock& steady_;
};

class KernelClockTest : public testing::Test {
 protected:
  Nanoseconds steady_of(Nanoseconds real) {
    clock.note(real, steady.now());
    return clock.noted();
  }
  testkit::ManualClock steady;
  WallClock wall{steady};
  KernelClock clock{steady, wall};
};

TEST_F(KernelClockTest, GivesTheSteadyTimeOfAWallTime) {
  const Nanoseconds arrived = steady.now(), real = wall.now();
  steady.advance(30ms);
  EXPECT_EQ(steady_of(real), arrived);
}

TEST_F(KernelClockTest, WithoutATimeOfTheKernelThereIsNone) {
  steady_of(wall.now());
  EXPECT_EQ(steady_of(0ns), 0ns);
}

TEST_F(KernelClockTest, TheTightestOfSeveralLooksCounts) {
  const Nanoseconds real = wall.now() - 1s, arrived = steady.now() - 1s;
  wall.delays = {4ms, 2us, 6ms, 8ms, 8ms};
  EXPECT_EQ(steady_of(real), arrived + 1us);  // half of what passed during the second look
}

TEST_F(KernelClockTest, AStepOfTheWallClockIsForgottenSoon) {
  steady_of(wall.now());
  wall.ahead -= 10s;
  steady.advance(KernelClock::kRemeasure);
  const Nanoseconds arrived = steady.now(), real = wall.now();
  steady.advance(5ms);
  EXPECT_EQ(steady_of(real), arrived);
}

TEST_F(KernelClockTest, AStepForwardIsSeenAtOnce) {
  steady_of(wall.now());
  wall.ahead += 10s;
  const Nanoseconds arrived = steady.now(), real = wall.now();
  steady.advance(5ms);
  EXPECT_EQ(steady_of(real), arrived);
}

TEST_F(KernelClockTest, NothingArrivesAfterItsRead) {
  const Nanoseconds real = wall.now() + 1h;
  EXPECT_EQ(steady_of(real), steady.now());
}

}  // namespace
}  // namespace roomcheck::websocket
