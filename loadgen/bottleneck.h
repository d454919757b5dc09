#pragma once
#include <string>

#include "reports/model/load_result.h"

namespace roomcheck::loadgen {

// Who could not do more, in one sentence: "the target: ...", "this generator: ..." or "nobody: ...". Empty
// where the run ended before that could be told.
std::string bottleneck(const reports::LoadResult& result);

}  // namespace roomcheck::loadgen
