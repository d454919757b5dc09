#pragma once
#include <cstdint>
#include <string_view>

namespace roomcheck {

// Raises the soft limit of open files to the hard one and returns it.
std::uint64_t raise_open_file_limit();

// Throws BadInput, before anything is opened, when `sockets` plus a reserve of 64 do not fit the limit of
// open files. The sentence gives both numbers and the remedy (ulimit -n, or fewer clients).
void require_open_files(std::uint64_t sockets, std::string_view what_for);

}  // namespace roomcheck
