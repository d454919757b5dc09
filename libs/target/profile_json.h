#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "libs/target/profile.h"

namespace roomcheck::target {

// A profile as its file has it, both ways. If you add a field: profile.h, both of these,
// conformance/profiles/profile.schema.json, docs/PROFILES.md.
Profile profile_from_json(const nlohmann::ordered_json& document, const std::string& where);
nlohmann::ordered_json profile_to_json(const Profile& profile);

}  // namespace roomcheck::target
