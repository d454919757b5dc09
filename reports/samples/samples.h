#pragma once
#include "reports/model/conformance_result.h"
#include "reports/model/load_result.h"

// Made-up results for tests and for looking at pages: the same each time.
namespace roomcheck::reports::samples {

// 10,000 clients for 75 s; one stall, two lost messages, one threshold missed.
LoadResult sample_load();
// Ten cases, one of each kind of verdict that people look at; failed.
ConformanceResult sample_conformance();

// The same cases but one, of another implementation; nothing failed, a part could not be asked.
ConformanceResult sample_partial();
// One of several runs of a server that is `factor` times as slow, with the luck of `seed`; nothing was lost.
LoadResult sample_run(double factor, int seed);
// Small enough for its whole rendering to be a golden file.
LoadResult small_load();

}  // namespace roomcheck::reports::samples
