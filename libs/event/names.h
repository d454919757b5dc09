#pragma once
#include <string_view>

#include "libs/base/result.h"

namespace roomcheck::event {

// Channels' rule for names (SPEC layer.names): ASCII letters, digits, '-', '_', '.', fewer than 100
// characters, not empty; a channel name may have one '!' that is not its first character. Stricter than
// Python in that a final line feed and non-ASCII digits are refused. The Error (bad_input) says the rule in
// Channels' words.
Result<void> check_group_name(std::string_view name);
Result<void> check_channel_name(std::string_view name);

}  // namespace roomcheck::event
