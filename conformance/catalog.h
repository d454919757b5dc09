#pragma once
#include <vector>

#include "conformance/case.h"

namespace roomcheck::conformance {

// The sections, one source file each in cases/.
std::vector<Case> connect_cases();
std::vector<Case> echo_cases();
std::vector<Case> groups_cases();
std::vector<Case> broadcast_cases();
std::vector<Case> push_cases();
std::vector<Case> direct_cases();
std::vector<Case> messages_cases();
std::vector<Case> transport_cases();
std::vector<Case> transport_frames_cases();  // of section transport too
std::vector<Case> auth_cases();
std::vector<Case> origin_cases();
std::vector<Case> cluster_cases();

// All of them, in the order of docs/SPEC.md.
std::vector<Case> all_cases();

}  // namespace roomcheck::conformance
