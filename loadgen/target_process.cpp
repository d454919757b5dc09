#include "loadgen/target_process.h"

#include <ctime>

namespace roomcheck::loadgen {

std::optional<Nanoseconds> cpu_time_of(int pid) {
  clockid_t clock{};
  timespec time{};
  if (pid <= 0 || ::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
    return std::nullopt;
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

}  // namespace roomcheck::loadgen
