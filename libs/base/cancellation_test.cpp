#include "libs/base/cancellation.h"

#include <gtest/gtest.h>

#include <thread>

namespace roomcheck {
namespace {

TEST(DeclineCancellation, TheThreadGoesOn) {
  bool went_on = false;
  std::thread thread([&] {
    decline_cancellation();
    ::pthread_cancel(::pthread_self());
    ::pthread_testcancel();
    went_on = true;
  });
  thread.join();
  EXPECT_TRUE(went_on);
}

}  // namespace
}  // namespace roomcheck
