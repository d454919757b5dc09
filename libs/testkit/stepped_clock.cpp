#include "libs/testkit/stepped_clock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "libs/testkit/paths.h"

namespace roomcheck::testkit {

SteppedClock::SteppedClock() {
  const std::string file = directory_.write("clock", std::string(sizeof *offset_seconds_, '\0'));
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  void* const mapped = ::mmap(nullptr, sizeof *offset_seconds_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + file);
  offset_seconds_ = static_cast<volatile std::int64_t*>(mapped);
}

SteppedClock::~SteppedClock() {
  ::munmap(const_cast<std::int64_t*>(offset_seconds_), sizeof *offset_seconds_);
}

std::map<std::string, std::string> SteppedClock::environment() const {
  const char* const sanitizer = std::getenv("ASAN_OPTIONS");
  return {{"LD_PRELOAD", bin_dir() + "/stepped_clock_preload.so"},
          {"ROOMCHECK_TEST_CLOCK", directory_.path("clock")},
          // Address sanitizer wants to be loaded first; for a clock it does not matter.
          {"ASAN_OPTIONS", (sanitizer == nullptr ? std::string() : std::string(sanitizer) + ":") +
                               "verify_asan_link_order=0"}};
}

void SteppedClock::set_apart(std::chrono::seconds offset) { *offset_seconds_ = offset.count(); }

}  // namespace roomcheck::testkit
