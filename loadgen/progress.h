#pragma once
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "libs/base/clock.h"

namespace roomcheck::loadgen {

// Where a run stands, once a second.
struct Standing {
  std::string_view phase;
  std::uint64_t members = 0;
  std::uint64_t clients = 0;
  std::uint64_t sent = 0;              // this second
  std::uint64_t delivered = 0;         // this second
  Nanoseconds p50{0}, p99{0}, max{0};  // fan-out, corrected, of this second
  std::uint64_t missing = 0;           // so far: overtaken by a later message
  Nanoseconds remaining{-1};           // until the run ends by plan; negative: not known yet
};

std::string to_line(const Standing& standing);

// Tells a person how the run goes: on a terminal one line, redrawn each second; elsewhere a line every five
// seconds and at each change of phase.
//
// Thread: one. Ownership: the stream outlives it.
class Progress {
 public:
  // `columns`: of the terminal; 0: it is none.
  Progress(std::ostream& out, unsigned columns) : out_(out), columns_(columns) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const Standing& standing);
  void clear();  // removes the line that is redrawn

 private:
  std::ostream& out_;
  const unsigned columns_;
  bool drawn_ = false;
  unsigned quiet_ = 0;  // seconds since the last line
  std::string phase_;
};

}  // namespace roomcheck::loadgen
