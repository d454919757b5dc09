#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.h"

namespace roomcheck::loadgen {

// What the generator knows about its own share in the numbers.
struct Health {
  std::uint64_t expected = 0;  // deliveries
  std::uint64_t intended = 0, sent = 0, late = 0, dropped_full = 0;
  std::uint64_t refused_samples = 0;
  double busiest_thread = 0;  // share of one core in its busiest second of the run
  Nanoseconds loop_lag_p99{0};
  std::optional<Nanoseconds> client_lag_p99;  // measured where the kernel's receive times are used
  std::uint64_t inexact_receive_times = 0;    // of the deliveries then
  Nanoseconds send_lag_p99{0};
  Nanoseconds delivery_p50{0}, delivery_p99{0};               // corrected; of the quickest workload
  std::uint64_t queue_samples = 0, queue_samples_unread = 0;  // of the kernel's queues of our connections
  std::uint32_t threads = 1;
};

// The limits; docs/MEASURING.md explains each.
constexpr double kMostLateSends = 0.01;  // by more than 1 ms ...
constexpr double kMostLagOfSends =
    0.05;  // ... and, at their p99, by more than this share of the deliveries' p50
constexpr double kMostDroppedSends = 0.01;
constexpr double kMostCpu = 0.90;
constexpr Nanoseconds kLoopLagFloor = std::chrono::milliseconds(10);  // below it lag never invalidates a run
constexpr double kMostLagShare = 0.5;                                 // of the deliveries' p99
constexpr double kMostInexact =
    0.01;  // of the deliveries; beyond it the loop's lag is judged as without kernel times
constexpr double kMostUnread = 0.5;  // of the samples, from kFewestQueueSamples on
constexpr std::uint64_t kFewestQueueSamples = 256;

// Why the run is not to be believed: one sentence each, with the remedy. Empty: it may be believed.
std::vector<std::string> invalid_because(const Health& health);

}  // namespace roomcheck::loadgen
