// A profile that a user wrote.
#include "fuzz/fuzz.h"
#include "libs/base/result.h"
#include "libs/target/profile.h"

using namespace roomcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const target::Profile profile = target::parse_profile(fuzz::text(data, size), "input");
    const std::string printed = target::print_profile(profile);
    fuzz::promise(target::print_profile(target::parse_profile(printed, "printed")) == printed,
                  "a printed profile is the profile");
  } catch (const BadInput&) {
  }
  return 0;
}
