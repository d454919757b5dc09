#pragma once
#include <string>

#include "conformance/context.h"

namespace roomcheck::conformance {

// How the target names a room's group: joins a fresh room alone and looks for it in the channel layer.
// Returns a text with {room}, as the profile's `group`. REQUIRES: run.control. Throws StartFailure when the
// target cannot be joined, BadInput when the control cannot list groups or no group holds the room's name.
std::string discover_group(const Run& run);

}  // namespace roomcheck::conformance
