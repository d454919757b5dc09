// What a target sends to the judge: the frames of its own parser.
#include <string>

#include "fuzz/fuzz.h"
#include "libs/websocket/raw_frame.h"

using namespace roomcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(fuzz::text(data, size));
  std::string error;
  while (const auto frame = websocket::take_frame(bytes, 1 << 20, error)) {
    fuzz::promise(frame->payload.size() <= size, "a frame holds no more than came");
    (void)websocket::describe_frame(frame->fin, frame->rsv, frame->opcode, frame->masked, frame->payload);
  }
  return 0;
}
