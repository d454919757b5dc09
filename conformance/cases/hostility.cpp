#include "conformance/cases/hostility.h"

#include <algorithm>

namespace roomcheck::conformance {
namespace {

using target::BadMessagePolicy;

std::string shown_end(const Received& end) {
  if (end.kind != Received::Kind::close) return std::string(to_string(end.kind)) + ", no close frame";
  return end.code == 1005 ? "a close frame without a code" : "close " + std::to_string(end.code);
}

// The policies that keep the connection: each offender must still be heard, and nothing of its offence.
void expect_kept(Context& c, const std::vector<MemberPtr>& all, const MemberPtr& offender,
                 const Offence& offence) {
  if (c.profile().bad_message == BadMessagePolicy::reply) {
    const std::string wanted = shown(c.profile().bad_reply.json().dump());
    const Received reply = offender->client->read_message(c.deadline());
    if (reply.kind == Received::Kind::timeout)
      throw Lost("the sender of " + offence.what + " got no reply", wanted, "nothing within the limit");
    if (reply.kind != Received::Kind::text || !c.profile().bad_reply.matches(reply.payload))
      throw Failed("the sender of " + offence.what + " got another reply than the profile's bad_reply",
                   wanted, std::string(to_string(reply.kind)) + " " + shown(reply.payload));
  }
  c.all_hear(all, c.say(offender));
}

}  // namespace

websocket::RawFrame frame_of(std::uint8_t opcode, const std::string& payload, bool fin) {
  websocket::RawFrame frame;
  frame.opcode = opcode;
  frame.payload = payload;
  frame.fin = fin;
  return frame;
}

std::string close_payload(std::uint16_t code, const std::string& reason) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + reason;
}

Offence bad_text(const std::string& what, const std::string& payload) {
  websocket::RawFrame frame;
  frame.payload = payload;
  return bad_frame(what, frame);
}

Offence bad_frame(const std::string& what, const websocket::RawFrame& frame) {
  return {what, RawClient::encode(frame)};
}

Received expect_end(Context& c, const MemberPtr& member, const std::string& after) {
  member->gone = true;
  Received got = c.next(member, c.deadline());
  if (got.kind == Received::Kind::timeout)
    throw Lost("the connection stays open after " + after, "the end of the connection",
               "nothing within the limit");
  if (got.kind == Received::Kind::text || got.kind == Received::Kind::binary)
    throw Failed("something was received after " + after, "the end of the connection", shown(got.payload));
  if (got.kind == Received::Kind::invalid)
    throw Failed("the server broke RFC 6455 after " + after, "the end of the connection", got.payload);
  // Our half of the closing handshake: some servers wait for it before they let the member go.
  if (got.kind == Received::Kind::close)
    (void)member->client->send_close(got.code == 1005 ? 1000 : got.code, "", c.deadline());
  member->client->close();
  return got;
}

std::vector<Received> offend(Context& c, const std::vector<Offence>& offences, Consequence consequence) {
  const std::string room = c.fresh_room();
  const MemberPtr witness = c.join(room);
  const std::vector<MemberPtr> offenders = c.join_many(room, offences.size());
  std::vector<MemberPtr> all = offenders;
  all.push_back(witness);
  c.given([&] {
    for (const MemberPtr& member : all) c.all_hear(all, c.say(member));
  });

  std::vector<Received> ends;
  if (consequence == Consequence::policy && c.profile().bad_message != BadMessagePolicy::close) {
    for (std::size_t i = 0; i < offences.size(); ++i) {
      offenders[i]->client->note("sends " + offences[i].what);
      (void)offenders[i]->client->send_bytes(offences[i].octets, c.deadline());
      expect_kept(c, all, offenders[i], offences[i]);
    }
  } else {
    for (std::size_t i = 0; i < offences.size(); ++i) {
      offenders[i]->client->note("sends " + offences[i].what);
      (void)offenders[i]->client->send_bytes(offences[i].octets, c.deadline());
    }
    for (std::size_t i = 0; i < offences.size(); ++i)
      ends.push_back(expect_end(c, offenders[i], offences[i].what));
  }
  c.fence(witness);
  c.sign_of_life();
  return ends;
}

void expect_codes(const std::vector<Offence>& offences, const std::vector<Received>& ends,
                  const std::vector<std::uint16_t>& codes) {
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i].kind == Received::Kind::close &&
        std::find(codes.begin(), codes.end(), ends[i].code) != codes.end())
      continue;
    std::string wanted;
    for (const std::uint16_t code : codes) wanted += (wanted.empty() ? "" : " or ") + std::to_string(code);
    throw Failed("the connection did not end with the right code after " + offences[i].what,
                 "a close frame with " + wanted, shown_end(ends[i]));
  }
}

}  // namespace roomcheck::conformance
