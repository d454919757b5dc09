#pragma once
#include <string>
#include <string_view>

#include "libs/event/event.h"

namespace roomcheck::event {

// MessagePack as channels_redis writes and reads it (shared with Python peers): str as str, binary as bin,
// floats as float64. Decoding refuses what is no map with string keys, invalid UTF-8, trailing bytes, and
// nesting deeper than 512.
std::string to_msgpack(const Event& event);
Result<Event> from_msgpack(std::string_view bytes);

}  // namespace roomcheck::event
