#include "loadgen/target_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace roomcheck::loadgen {
namespace {

TEST(TargetProcess, WorkIsSeenInItsCpuTime) {
  const auto before = cpu_time_of(::getpid());
  ASSERT_TRUE(before);
  while (*cpu_time_of(::getpid()) < *before + std::chrono::milliseconds(2)) {
  }
  EXPECT_GE(*cpu_time_of(::getpid()), *before + std::chrono::milliseconds(2));
}

TEST(TargetProcess, NobodyHasNone) {
  EXPECT_FALSE(cpu_time_of(0));
  EXPECT_FALSE(cpu_time_of(-1));
  EXPECT_FALSE(cpu_time_of(999'999'999));
}

}  // namespace
}  // namespace roomcheck::loadgen
