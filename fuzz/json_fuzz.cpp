// What a client or the control API sends as JSON.
#include "fuzz/fuzz.h"
#include "libs/event/event.h"

using namespace roomcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Result<event::Event> parsed = event::parse_json(fuzz::text(data, size));
  if (!parsed.ok()) return 0;
  const Result<event::Event> again = event::parse_json(event::to_python_json(*parsed));
  fuzz::promise(again.ok() && *again == *parsed, "what is parsed is written so that it reads the same");
  (void)event::handler_name(*parsed);
  return 0;
}
