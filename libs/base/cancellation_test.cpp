#include "libs/base/cancellation.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace roomcheck {
namespace {

TEST(DeclineCancellation, AThreadGoesOnThroughItsSystemCalls) {
  std::atomic<bool> cancelled{false}, went_on{false};
  std::thread thread([&] {
    decline_cancellation();
    while (!cancelled) ::usleep(100);
    for (int i = 0; i < 10; ++i) ::usleep(100);
    went_on = true;
  });
  ::pthread_cancel(thread.native_handle());
  cancelled = true;
  thread.join();
  EXPECT_TRUE(went_on);
}

}  // namespace
}  // namespace roomcheck
