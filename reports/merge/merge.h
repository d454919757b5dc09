#pragma once
#include <string>
#include <vector>

#include "reports/model/load_result.h"

namespace roomcheck::reports {

struct Shard {
  std::string source;  // the file
  LoadResult result;
};

// One result of the shards of one run (loadgen --shard I/N), in any order: counts and histograms are added,
// so that the result is what one process would have measured; thresholds are judged anew on the whole; it is
// valid only if every shard is.
//
// A room's members are on all shards. Of a message the shard that sent it says how late its own members got
// it; of the others' members it is here that expected and lost are found: from what the sender's shard says
// it sent and what theirs says came (StreamReceived).
//
// What cannot be added is said to be unknown: p50 and p99 of a room, a stage or a size of rooms that several
// shards have timed are 0.
// Two figures are bounds: sends.lag_p99 is the worst shard's (99 % of all sends were at most as late), and
// sends.due_at_end is of each shard's own messages to its own members (at least so many were due). Memory is
// that of all generators together; the target's is the most that a shard saw in that second.
//
// Throws BadInput, one sentence: a whole run among them, shards of different runs (seed, scenario, profile or
// version differ), one twice, one missing.
LoadResult merge(std::vector<Shard> shards);

}  // namespace roomcheck::reports
