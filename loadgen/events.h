#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "reports/model/load_result.h"

namespace roomcheck::loadgen {

// What happened to a run, for the charts over time. What goes on for seconds is one wave, told at its first
// second.
//
// Capacity: kMost events; of those beyond it, the last one tells how many there were.
// Thread:   one.
class Events {
 public:
  static constexpr std::size_t kMost = 100;

  void add(Nanoseconds at, std::string_view kind, std::string text);
  // `n` things of a kind in this second of the run, for example "closes". Seconds come in order; 0 ends the
  // wave.
  void count(std::uint64_t second, std::string_view kind, std::uint64_t n);
  // In the order of time. Ends all waves.
  std::vector<reports::Event> take();

 private:
  struct Wave {
    std::uint64_t first = 0, last = 0, n = 0;
  };
  void end(std::string_view kind, const Wave& wave);

  std::vector<reports::Event> events_;
  std::uint64_t left_out_ = 0;
  std::map<std::string, Wave, std::less<>> waves_;
};

}  // namespace roomcheck::loadgen
