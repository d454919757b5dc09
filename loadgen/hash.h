#pragma once
#include <cstdint>

namespace roomcheck::loadgen {

// Chance that can be repeated: a number from a seed and what it is for (splitmix64's finaliser).
inline std::uint64_t hash(std::uint64_t seed, std::uint64_t of) {
  std::uint64_t x = seed + (of + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// In (0, 1).
inline double uniform(std::uint64_t seed, std::uint64_t of) {
  return (static_cast<double>(hash(seed, of) >> 11) + 0.5) * 0x1p-53;
}

}  // namespace roomcheck::loadgen
