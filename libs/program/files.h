#pragma once
#include <string>
#include <string_view>

namespace roomcheck {

// Reads a whole file ("-" is stdin). Throws BadInput with the path and the reason.
std::string read_file(const std::string& path);

// Writes a whole file ("-" is stdout) atomically: to a temporary file beside it, then renamed, so that a
// reader never sees half and a full disk never destroys what was there. Throws StartFailure with the path and
// the reason.
// A link is followed; a device or a pipe is written as it is, never replaced.
void write_file(const std::string& path, std::string_view content);

// Throws BadInput when write_file() would surely fail, so that nobody measures for an hour and has nowhere to
// put the result. `option` is what named the path.
void require_writable(const std::string& option, const std::string& path);

}  // namespace roomcheck
