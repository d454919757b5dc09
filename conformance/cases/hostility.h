#pragma once
#include <string>
#include <vector>

#include "conformance/context.h"

namespace roomcheck::conformance {

// Something that a client must not send: what to call it in a failure, and its octets.
struct Offence {
  std::string what;
  std::string octets;
};

Offence bad_text(const std::string& what, const std::string& payload);  // one masked text frame
Offence bad_frame(const std::string& what, const websocket::RawFrame& frame);

websocket::RawFrame frame_of(std::uint8_t opcode, const std::string& payload, bool fin = true);
std::string close_payload(std::uint16_t code, const std::string& reason = "");  // of a close frame

// What the target owes to whom offends.
enum class Consequence {
  policy,           // what the profile says about bad messages
  connection_fails  // RFC 6455, 7.1.7: the end of the connection, with or without a close frame
};

// Each offence comes from a member of its own, all in one room with a witness. First everybody talks and is
// heard by all (the positive control); then all offend; then the consequence is awaited, nobody may have
// received anything but a close frame (an answer, where the policy is to reply), the witness hears itself
// next, and the target shows a sign of life. Yields how the offenders' connections ended, in order (empty
// when they need not end).
std::vector<Received> offend(Context& c, const std::vector<Offence>& offences, Consequence consequence);

// Waits for the connection's end; what comes before it is Failed, no end is Lost. The client's side is closed
// then too.
Received expect_end(Context& c, const MemberPtr& member, const std::string& after);

// SHOULD: each of these ends is a close frame with one of the codes.
void expect_codes(const std::vector<Offence>& offences, const std::vector<Received>& ends,
                  const std::vector<std::uint16_t>& codes);

}  // namespace roomcheck::conformance
