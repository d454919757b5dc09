#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "libs/stats/histogram.h"
#include "libs/websocket/connection.h"

namespace roomcheck::reference_server {

// What the load mutants do to the deliveries of room messages.
struct LoadPlan {
  std::uint64_t lose = 0;           // every Nth is dropped; 0: none
  std::uint64_t duplicate = 0;      // every Nth comes twice
  std::uint64_t reorder = 0;        // every Nth comes after the next one to the same member
  Nanoseconds delay{0};             // of each
  std::optional<Nanoseconds> burn;  // of the thread's CPU time, for each; 0 costs what burning costs besides
  Nanoseconds member_delay{0};      // member i of five gets it after (i + 1) times this
  Nanoseconds stall{0};             // nothing leaves in the last `stall` ...
  Nanoseconds stall_period{0};      // ... of each such period
  std::uint64_t serves = 0;         // deliveries a second at most; 0: no limit

  bool active() const {
    return burn || lose + duplicate + reorder + serves > 0 || (delay + member_delay + stall).count() > 0;
  }
};

// What they did, for a judge to compare with: counts, and how long each delivery was held, measured where it
// happened.
struct LoadStats {
  std::atomic<std::uint64_t> deliveries{0};  // room messages that reached the mutant
  std::atomic<std::uint64_t> lost{0};
  std::atomic<std::uint64_t> duplicated{0};
  std::atomic<std::uint64_t> reordered{0};

  std::mutex mu;
  stats::Histogram held;     // guarded by mu; of each delivery once, from arrival to the write
  std::uint64_t served = 0;  // guarded by mu; while others waited behind the limit of `serves`
  Nanoseconds serving{0};    // guarded by mu; and the time that took
  Nanoseconds last_left{0};  // guarded by mu
};

// The connections of a node's rooms with a plan between them and their consumers.
//
// Thread:   wrap() from any loop; each connection belongs to its loop.
// Capacity: a million deliveries wait on a loop; beyond that they are dropped and counted as lost.
class LoadMutants {
 public:
  explicit LoadMutants(const LoadPlan& plan);

  websocket::ConnectionPtr wrap(websocket::ConnectionPtr connection, boost::asio::io_context& io);
  LoadStats& stats() { return stats_; }

 private:
  class Waiting;
  class Held;
  Nanoseconds due(Nanoseconds at, std::uint32_t member);

  const LoadPlan plan_;
  LoadStats stats_;
  std::mutex mu_;
  std::atomic<std::uint32_t> members_{0};
  Nanoseconds first_{-1};     // guarded by mu_; the stalls' origin
  Nanoseconds next_slot_{0};  // guarded by mu_; of `serves`
};

}  // namespace roomcheck::reference_server
