#pragma once
#include <string>

namespace roomcheck::conformance {

// Where the author of a server that fails this requirement should look first: one sentence, or nothing. The
// longest id that the requirement begins with holds, so that a new requirement of a section has one too.
std::string what_to_look_at(const std::string& requirement);

}  // namespace roomcheck::conformance
