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
  // A delivery that took a second is not explained by some milliseconds of ours.
  const bool lag_matters = static_cast<double>(h.send_lag_p99.count()) >
                           kMostLagOfSends * static_cast<double>(h.delivery_p50.count());
  if (share(h.late) > kMostLateSends && lag_matters)
    out.push_back(percent(share(h.late)) +
                  " of the sends left more than 1 ms after their intended time (limit 1 %), at their p99 " +
                  format_duration(h.send_lag_p99) +
                  ": this "
                  "machine could not keep the schedule; " +
                  (h.busiest_thread > 0.7
                       ? "our busiest thread used " + percent(h.busiest_thread) +
                             " of a core: use more "
                             "--threads (now " +
                             std::to_string(h.threads) + ") or lower --rate"
                       : std::string("it was not our own work, so give the machine less other work, or "
                                     "move the target to another one")));
  if (share(h.dropped_full) > kMostDroppedSends)
    out.push_back(percent(share(h.dropped_full)) +
                  " of the sends were dropped because the target did not read them "
                  "(limit 1 %): the load was smaller than asked; lower --rate");
  if (h.busiest_thread > kMostCpu)
    out.push_back("a thread of ours used " + percent(h.busiest_thread) +
                  " of a core in its busiest second (limit 90 %): "
                  "messages waited for us; use more --threads, fewer --clients, or a lower --rate");
  const auto matters = [&](Nanoseconds lag) {
    return lag > kLoopLagFloor &&
           static_cast<double>(lag.count()) > kMostLagShare * static_cast<double>(h.delivery_p99.count());
  };
  // What the loop's lag only bounds, the kernel's times measure, if they are the deliveries' own.
  const bool is_measured = h.client_lag_p99 && static_cast<double>(h.inexact_receive_times) <=
                                                   kMostInexact * static_cast<double>(h.expected);
  if (is_measured && matters(*h.client_lag_p99))
    out.push_back("at their p99 deliveries waited " + format_duration(*h.client_lag_p99) +
                  " in the kernel for us, more than half of their own p99 of " +
                  format_duration(h.delivery_p99) +
                  ": the target was held up by how slowly we read, or may have been; give this machine less "
                  "other work, or use more --threads");
  if (!is_measured && matters(h.loop_lag_p99))
    out.push_back("our own event loop was late by " + format_duration(h.loop_lag_p99) +
                  " at its p99, more than half of the "
                  "deliveries' p99 of " +
                  format_duration(h.delivery_p99) +
                  ": the latencies may be ours; give this machine less "
                  "other work, or use more --threads");
  if (h.queue_samples >= kFewestQueueSamples &&
      static_cast<double>(h.queue_samples_unread) > kMostUnread * static_cast<double>(h.queue_samples))
    out.push_back(
        "in " + percent(static_cast<double>(h.queue_samples_unread) / static_cast<double>(h.queue_samples)) +
        " of the samples of our sockets something had arrived and waited for us (limit 50 %): we read too "
        "slowly; use more --threads (now " +
        std::to_string(h.threads) + "), split the run over machines, or lower --rate");
  if (h.refused_samples > 0)
    out.push_back(format_count(h.refused_samples) +
                  " latencies were outside what the histogram holds (0 to 1 h): the "
                  "percentiles miss them; shorten the run, or report this as a bug if it was short");
  return out;
}

}  // namespace roomcheck::loadgen
