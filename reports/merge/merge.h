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
// What cannot be added is said to be unknown: p50 and p99 of a room whose members were on several shards are
// 0.
//
// Throws BadInput, one sentence: a whole run among them, shards of different runs (seed, scenario, profile or
// version differ), one twice, one missing.
LoadResult merge(std::vector<Shard> shards);

}  // namespace roomcheck::reports
