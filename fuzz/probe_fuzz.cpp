// What a target sends to loadgen.
#include "fuzz/fuzz.h"
#include "loadgen/probe.h"

using namespace roomcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const loadgen::ProbeFormat format(0x5eed, 1, 100);
  loadgen::Probe probe;
  const std::string_view frame = fuzz::text(data, size);
  if (format.find(frame, probe) == loadgen::ProbeFormat::Found::ours)
    fuzz::promise(frame.find(format.text(probe)) != frame.npos, "a probe that is found is whole and ours");
  return 0;
}
