#pragma once
// One fuzz target a source file: it takes any octets and must neither crash, hang, nor break what it says
// about itself. With clang each is a libFuzzer program (preset `fuzz`, ci/fuzz); with any compiler it is
// driven by standalone.cpp, which replays the seeds and changes them for a while (ci/test).
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace roomcheck::fuzz {

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A promise of the code under test; broken, it is a finding like a crash.
inline void promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

}  // namespace roomcheck::fuzz
