#pragma once
#include <string>
#include <vector>

#include "conformance/context.h"

namespace roomcheck::conformance {

// One part of the profile, tried on the target.
struct Finding {
  enum class Kind { right, wrong, not_tried };
  Kind kind;
  std::string field;  // "room.receive"
  std::string text;   // what was seen; when wrong: what the profile says, and what came instead
};

// --check: talks to the target as the profile says, a few messages in all, and says for each part whether it
// is so. It judges the profile, not the target: what it finds wrong may be either. Throws StartFailure when
// the target cannot be connected to.
std::vector<Finding> check_profile(const Run& run);

bool all_right(const std::vector<Finding>& findings);
std::string describe(const std::vector<Finding>& findings, bool colour);

}  // namespace roomcheck::conformance
