#pragma once
#include <cstddef>
#include <cstdint>

namespace roomcheck {

// Asks for the cache lines of [at, at + size): for a loop over objects that are sure to be cold, a few before
// their turn. Never faults; null is allowed.
inline void prefetch(const void* at, std::size_t size) {
  constexpr std::uintptr_t kLine = 64;
  const auto first = reinterpret_cast<std::uintptr_t>(at);
  for (std::uintptr_t line = first / kLine * kLine; line < first + size; line += kLine)
    __builtin_prefetch(reinterpret_cast<const void*>(line));
}

}  // namespace roomcheck
