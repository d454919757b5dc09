// A result file: truncated, of another version, or by somebody else.
#include "fuzz/fuzz.h"
#include "libs/base/result.h"
#include "reports/model/read.h"

using namespace roomcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)reports::parse_result(fuzz::text(data, size), "input");
  } catch (const BadInput&) {
  }
  return 0;
}
