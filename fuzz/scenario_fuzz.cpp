// A scenario that a user wrote: refused in a sentence, or good for all that comes before the first
// connection.
#include "fuzz/fuzz.h"
#include "libs/base/result.h"
#include "libs/target/profile.h"
#include "loadgen/scenario.h"

using namespace roomcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const target::Profile profile = target::load_profile("seed");
  try {
    const loadgen::Scenario scenario = loadgen::parse_scenario(fuzz::text(data, size), "input", {});
    loadgen::validate(scenario, profile);
    fuzz::promise(scenario.duration().count() > 0, "a run takes time");
    (void)loadgen::to_json(scenario).dump();
    for (std::size_t i = 0; i < scenario.workloads.size(); ++i) (void)loadgen::schedule_of(scenario, i);
  } catch (const BadInput&) {
  }
  return 0;
}
