#include "libs/program/limits.h"

#include <sys/resource.h>

#include <string>

#include "libs/base/result.h"
#include "libs/base/units.h"

namespace roomcheck {

std::uint64_t raise_open_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

void require_open_files(std::uint64_t sockets, std::string_view what_for) {
  constexpr std::uint64_t kReserve = 64;  // logs, epoll, timers, result files
  const std::uint64_t limit = raise_open_file_limit();
  if (sockets + kReserve <= limit) return;
  throw BadInput(std::string(what_for) + " needs " + format_count(sockets + kReserve) +
                 " open files, but the hard limit is " + format_count(limit) + ": raise it (ulimit -Hn " +
                 std::to_string(sockets + kReserve) + ", as root) or ask for at most " +
                 format_count(limit > kReserve ? limit - kReserve : 0));
}

}  // namespace roomcheck
