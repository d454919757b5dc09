#include "loadgen/target_process.h"

#include <unistd.h>

#include <ctime>
#include <fstream>
#include <string>

namespace roomcheck::loadgen {

std::optional<Nanoseconds> cpu_time_of(int pid) {
  clockid_t clock{};
  timespec time{};
  if (pid <= 0 || ::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
    return std::nullopt;
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

std::uint64_t memory_of(int pid) {
  if (pid <= 0) return 0;
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");  // in pages: total, resident, ...
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace roomcheck::loadgen
