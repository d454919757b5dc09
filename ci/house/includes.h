#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace roomcheck::house {

// Who may include whom (docs/ARCHITECTURE.md): reads the #include lines of one source file and returns a
// sentence for each that points the wrong way. `path` is relative to the root, with forward slashes.
std::vector<std::string> wrong_includes(std::string_view path, std::string_view text);

}  // namespace roomcheck::house
