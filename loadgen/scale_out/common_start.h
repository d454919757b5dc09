#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "libs/base/clock.h"
#include "loadgen/scenario.h"

namespace roomcheck::loadgen {

// What the command line says of a run on more than one machine.
struct ScaleOut {
  std::string shard;       // "": the whole, or "rank" with one of the next two
  std::string rendezvous;  // redis://HOST[:PORT][/DB]/KEY
  std::string start_at;    // 2026-11-23T10:16:00Z, or @SECONDS since 1970
  std::chrono::nanoseconds rendezvous_timeout = std::chrono::minutes(1);
};

// When the warm-up begins, so that all shards begin together.
//
// Thread: the conductor's.
class CommonStart {
 public:
  virtual ~CommonStart() = default;
  // Everything here is connected; asked again every few milliseconds. The start on the steady clock, or
  // nullopt: not yet. Throws StartFailure when it will not come: one sentence.
  virtual std::optional<Nanoseconds> poll(Nanoseconds now) = 0;
};

// Finds out which shard this is, meets the others, and agrees with them on the run: scenario.shard, .run and
// .seed (unless one was given, `seed_given`). nullptr: there is nobody to wait for.
//
// Two ways. A meeting on Redis: everyone waits until all are connected, at most rendezvous_timeout. Or a
// moment (start_at): the run's number follows from it, and the machines' clocks must agree to within a
// fraction of
// --drain.
//
// Throws BadInput (a rank that is there twice, another scenario than the others', a moment that is past) and
// StartFailure (Redis is not there).
std::unique_ptr<CommonStart> join_run(const ScaleOut& options, Scenario& scenario,
                                      const target::Profile& profile, bool seed_given);

}  // namespace roomcheck::loadgen
