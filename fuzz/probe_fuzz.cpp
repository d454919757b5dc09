// What a target sends to loadgen.
#include "fuzz/fuzz.h"
#include "loadgen/probe.h"

using namespace roomcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const loadgen::ProbeFormat format(0x5eed, 1, 100);
  loadgen::Probe probe;
  const std::string_view frame = fuzz::text(data, size);
  if (format.find(frame, probe) != loadgen::ProbeFormat::Found::ours) return 0;
  // The check is of 32 bits and against accidents: a fuzzer can forge it. What is believed is well formed all
  // the same.
  loadgen::Probe again;
  fuzz::promise(format.find(format.text(probe), again) == loadgen::ProbeFormat::Found::ours &&
                    again.room == probe.room && again.sender == probe.sender &&
                    again.sequence == probe.sequence && again.intended_ns == probe.intended_ns,
                "a probe that is found can be written again");
  return 0;
}
