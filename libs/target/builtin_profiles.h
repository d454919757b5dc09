#pragma once
#include <string_view>
#include <utility>
#include <vector>

namespace roomcheck::target {

// Name and text of conformance/profiles/*.json, as built in.
const std::vector<std::pair<std::string_view, std::string_view>>& builtin_profile_texts();

}  // namespace roomcheck::target
