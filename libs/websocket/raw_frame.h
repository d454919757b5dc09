#pragma once
#include <optional>
#include <string>

#include "libs/websocket/raw_client.h"

namespace roomcheck::websocket {

// One frame from the start of `bytes`, which is shortened by it; nothing while it is incomplete. Judges
// nothing.
std::optional<ReceivedFrame> take_frame(std::string& bytes, std::size_t max_size, std::string& error);

// "text(17) {"msg": "x"}", "close 1011", "binary(3) 00 ff 10": one line, long payloads shortened.
std::string describe_frame(bool fin, std::uint8_t rsv, std::uint8_t opcode, bool masked,
                           std::string_view payload);

std::string printable(std::string_view text, std::size_t most = 200);

}  // namespace roomcheck::websocket
