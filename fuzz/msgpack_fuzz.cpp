// What stands in a Redis queue or topic: anybody may have put it there.
#include "fuzz/fuzz.h"
#include "libs/channel_layer/payload.h"
#include "libs/event/msgpack.h"

using namespace roomcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const channel_layer::Payload clear{channel_layer::RedisOptions()};
  static const channel_layer::Payload sealed = [] {
    channel_layer::RedisOptions options;
    options.encryption_keys = {"a key"};
    return channel_layer::Payload(options);
  }();
  const std::string_view bytes = fuzz::text(data, size);
  (void)clear.from_queue(bytes);
  (void)clear.from_topic(bytes);
  fuzz::promise(!sealed.from_queue(bytes).ok() && !sealed.from_topic(bytes).ok(),
                "nobody without the key seals a message");
  const Result<event::Event> message = event::from_msgpack(bytes);
  if (!message.ok()) return 0;
  const Result<event::Event> again = event::from_msgpack(event::to_msgpack(*message));
  fuzz::promise(again.ok(), "what is read can be written and read again");
  return 0;
}
