#pragma once
#include <string>
#include <string_view>

namespace roomcheck {

// Reads a whole file ("-" is stdin). Throws BadInput with the path and the reason.
std::string read_file(const std::string& path);

// Writes a whole file ("-" is stdout) atomically: to a temporary file beside it, then renamed, so that a
// reader never sees half and a full disk never destroys what was there. Throws StartFailure with the path and
// the reason.
void write_file(const std::string& path, std::string_view content);

}  // namespace roomcheck
