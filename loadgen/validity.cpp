#include "loadgen/validity.h"

#include <array>
#include <cstdio>

#include "libs/base/units.h"

namespace roomcheck::loadgen {
namespace {

std::string percent(double share) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.1f %%", 100 * share);
  return out.data();
}

}  // namespace

std::vector<std::string> invalid_because(const Health& h) {
  std::vector<std::string> out;
  if (h.expected == 0)
    out.push_back(
        "no delivery was expected, so nothing was measured: let the run last longer, or raise --rate");
  const auto share = [&](std::uint64_t part) {
    return h.intended == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(h.intended);
  };
  if (share(h.late) > kMostLateSends)
    out.push_back(
        percent(share(h.late)) +
        " of the sends left more than 1 ms after their intended time (limit 1 %): this "
        "machine could not keep the schedule; give it less other work, lower --rate, or use more --threads");
  if (share(h.dropped_full) > kMostDroppedSends)
    out.push_back(percent(share(h.dropped_full)) +
                  " of the sends were dropped because the target did not read them "
                  "(limit 1 %): the load was smaller than asked; lower --rate");
  if (h.busiest_thread > kMostCpu)
    out.push_back("a thread of ours used " + percent(h.busiest_thread) +
                  " of a core in its busiest second (limit 90 %): "
                  "messages waited for us; use more --threads, fewer --clients, or a lower --rate");
  if (h.loop_lag_p99 > kLoopLagFloor && static_cast<double>(h.loop_lag_p99.count()) >
                                            kMostLagShare * static_cast<double>(h.fan_out_p99.count()))
    out.push_back("our own event loop was late by " + format_duration(h.loop_lag_p99) +
                  " at its p99, more than half of the "
                  "fan-out p99 of " +
                  format_duration(h.fan_out_p99) +
                  ": the latencies may be ours; give this machine less "
                  "other work, or use more --threads");
  if (h.refused_samples > 0)
    out.push_back(format_count(h.refused_samples) +
                  " latencies were outside what the histogram holds (0 to 1 h): the "
                  "percentiles miss them; shorten the run, or report this as a bug if it was short");
  return out;
}

}  // namespace roomcheck::loadgen
