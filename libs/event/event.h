#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "libs/base/result.h"

namespace roomcheck::event {

// A message of the channel layer: a JSON object whose "type" names the consumer's handler. Key order is kept,
// as Python's dict keeps it. Values may also be binary (MessagePack bin).
using Event = nlohmann::ordered_json;

// Parses client or control input. Refuses (with a sentence) what is not JSON as RFC 8259 has it: trailing
// text, a BOM, and nesting deeper than `max_depth` (a document of 100,000 nested arrays must not end the
// process).
Result<Event> parse_json(std::string_view text, int max_depth = 512);

// As Python's json.dumps with its defaults writes it: ", " and ": ", everything outside space..~ as
// lower-case \uXXXX (surrogate pairs above U+FFFF). `{"message": "\u9884..."}`.
std::string to_python_json(const Event& event);
// Only a string, quotes included, escaped in that manner: the hot path of a reply.
void append_python_json_string(std::string& out, std::string_view utf8);

// The handler name of an event's type: dots become underscores ("chat.message" -> "chat_message"). An error
// when there is no string "type", when it is empty, or when the name begins with "_"
// (push.private-type-refused).
Result<std::string> handler_name(const Event& event);

}  // namespace roomcheck::event
