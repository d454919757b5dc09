#pragma once
#include <cstddef>
#include <string>

#include "reports/model/read.h"

namespace roomcheck::reports {

// GitHub's workflow commands, a line each: an error for what made the run bad, a warning for what keeps it
// from being believed or complete. At most kMostAnnotations (GitHub shows ten of a kind), errors first.
std::string to_annotations(const AnyResult& result);
constexpr std::size_t kMostAnnotations = 10;

}  // namespace roomcheck::reports
