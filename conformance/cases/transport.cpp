#include <array>

#include "conformance/cases/hostility.h"
#include "conformance/catalog.h"
#include "libs/base/units.h"

namespace roomcheck::conformance {
namespace {

using websocket::RawFrame;
using websocket::ReceivedFrame;

std::string status_text(const std::string& payload) {
  if (payload.size() < 2) return "no status";
  return std::to_string(static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]));
}

// The frames of one text message, cut into these parts.
std::string fragments(const std::vector<std::string>& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i)
    out += RawClient::encode(frame_of(i == 0 ? 1 : 0, parts[i], i + 1 == parts.size()));
  return out;
}

std::string wire(Context& c, const std::string& text) { return c.profile().room.send.render(text); }

// A member that sends these octets, which say `text` to its room.
void sends(Context& c, const MemberPtr& member, const std::string& octets, const std::string& text) {
  c.allow(member->room, text);
  (void)member->client->send_bytes(octets, c.deadline());
}

// A pong with this payload comes next.
void expect_pong(Context& c, const MemberPtr& member, const std::string& payload) {
  const Result<ReceivedFrame> frame = member->client->read_frame(c.deadline());
  if (!frame.ok())
    throw Lost("a ping of " + std::to_string(payload.size()) + " bytes was not answered", "a pong",
               frame.error().message);
  if (frame->opcode != 10 || frame->payload != payload)
    throw Failed("a ping was not answered by a pong with its payload",
                 "opcode 10 with " + std::to_string(payload.size()) + " bytes",
                 "opcode " + std::to_string(frame->opcode) + " with " +
                     std::to_string(frame->payload.size()) + " bytes: " + shown(frame->payload));
}

// Closes with this payload; the answer is a close frame, then TCP ends.
ReceivedFrame close_and_see(Context& c, const std::string& payload) {
  const std::string room = c.fresh_room();
  const MemberPtr member = c.join(room);
  c.fence(member);
  member->gone = true;
  (void)member->client->send_frame(frame_of(8, payload), c.deadline());
  const Result<ReceivedFrame> frame = member->client->read_frame(c.deadline());
  if (!frame.ok()) {
    if (frame.error().kind == Error::Kind::timeout)
      throw Lost("a close frame was not answered", "a close frame", "nothing within the limit");
    throw Failed("a close frame was not answered by one", "a close frame", frame.error().message);
  }
  if (frame->opcode != 8)
    throw Failed("a close frame was answered by another frame", "opcode 8",
                 "opcode " + std::to_string(frame->opcode));
  const Received end = member->client->read_message(c.deadline());
  if (end.kind == Received::Kind::timeout)
    throw Lost("TCP stays open after the close handshake", "the end of TCP", "nothing within the limit");
  if (end.kind != Received::Kind::end && end.kind != Received::Kind::reset)
    throw Failed("something came after the close frame", "the end of TCP",
                 std::string(to_string(end.kind)) + " " + shown(end.payload));
  member->client->close();
  return *frame;
}

const std::vector<std::string>& close_payloads() {
  static const std::vector<std::string> all{"", close_payload(1000), close_payload(1001, "going away"),
                                            close_payload(3000), close_payload(4999, "bye 再见")};
  return all;
}

// ---- what breaks the protocol

constexpr std::array<std::uint16_t, 12> kInvalidCodes{0,    999,  1004, 1005, 1006, 1015,
                                                      1016, 1100, 2000, 2999, 5000, 65535};

std::vector<Offence> invalid_closes() {
  std::vector<Offence> out;
  for (const std::uint16_t code : kInvalidCodes)
    out.push_back(
        bad_frame("a close frame with code " + std::to_string(code), frame_of(8, close_payload(code))));
  out.push_back(bad_frame("a close frame of one byte", frame_of(8, "\x03")));
  out.push_back(bad_frame("a close reason that is no UTF-8", frame_of(8, close_payload(1000, "\xff\xfe"))));
  return out;
}

std::vector<Offence> unmasked(Context& c) {
  RawFrame text = frame_of(1, wire(c, c.fresh_text("unmasked"))), ping = frame_of(9, "x");
  text.masked = ping.masked = false;
  return {bad_frame("an unmasked text frame", text), bad_frame("an unmasked ping", ping)};
}

std::vector<Offence> reserved(Context& c) {
  std::vector<Offence> out;
  for (const int bits : {1, 2, 4}) {
    RawFrame frame = frame_of(1, wire(c, c.fresh_text("reserved")));
    frame.rsv = static_cast<std::uint8_t>(bits);
    out.push_back(bad_frame("a text frame with reserved bits " + std::to_string(bits), frame));
  }
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    out.push_back(bad_frame("a frame of the reserved opcode " + std::to_string(opcode),
                            frame_of(static_cast<std::uint8_t>(opcode), "x")));
  return out;
}

std::vector<Offence> bad_sequences(Context& c) {
  const std::string text = wire(c, c.fresh_text("out of sequence"));
  Offence two = bad_frame("a new message inside fragments", frame_of(1, text.substr(0, 3), false));
  two.octets += RawClient::encode(frame_of(1, text));
  return {bad_frame("a continuation without a start", frame_of(0, text)),
          two,
          bad_frame("a fragmented ping", frame_of(9, "x", false)),
          bad_frame("a ping of 126 bytes", frame_of(9, std::string(126, 'p'))),
          bad_frame("a pong of 126 bytes", frame_of(10, std::string(126, 'p'))),
          bad_frame("a close frame of 126 bytes", frame_of(8, close_payload(1000, std::string(124, 'r')))),
          bad_frame("a fragmented close frame", frame_of(8, close_payload(1000), false))};
}

std::vector<Offence> invalid_utf8(Context& c) {
  std::vector<Offence> out;
  const std::string text = wire(c, c.fresh_text("no UTF-8 @"));
  for (const auto& [what, octets] : {std::pair<const char*, std::string>{"a stray byte", "\xff"},
                                     {"a surrogate in UTF-8", "\xed\xa0\xbd"},
                                     {"an overlong slash", "\xc0\xaf"},
                                     {"a code point beyond U+10FFFF", "\xf4\x90\x80\x80"}}) {
    std::string spoilt = text;
    spoilt.replace(spoilt.rfind('@'), 1, octets);
    out.push_back(bad_text(what, spoilt));
  }
  out.push_back(bad_text("a text that ends within a character", text + "\xe8\xad"));
  return out;
}

}  // namespace

std::vector<Case> transport_cases() {
  return {
      {"transport.ping-pong/zero-to-125-bytes",
       "transport.ping-pong",
       kMust,
       {},
       "A ping is answered by a pong with the same payload.",
       [](Context& c) {
         const MemberPtr member = c.join(c.fresh_room());
         for (const std::size_t size : {0u, 1u, 4u, 125u}) {
           std::string payload(size, 'p');
           if (size == 4) payload = std::string("\0\xff\x80\x7f", 4);
           (void)member->client->send_frame(frame_of(9, payload), c.deadline());
           expect_pong(c, member, payload);
         }
         c.fence(member);
       }},
      {"transport.ping-pong/between-fragments",
       "transport.ping-pong",
       kMust,
       {},
       "A ping between the fragments of a message is answered too.",
       [](Context& c) {
         const MemberPtr member = c.join(c.fresh_room());
         const std::string text = c.fresh_text(), all = wire(c, text);
         sends(c, member,
               RawClient::encode(frame_of(1, all.substr(0, 5), false)) +
                   RawClient::encode(frame_of(9, "between")),
               text);
         expect_pong(c, member, "between");
         (void)member->client->send_frame(frame_of(0, all.substr(5)), c.deadline());
         c.hears(member, text);
       }},
      {"transport.unsolicited-pong/ignored",
       "transport.unsolicited-pong",
       kMust,
       {},
       "An unsolicited pong is ignored.",
       [](Context& c) {
         const MemberPtr member = c.join(c.fresh_room());
         for (const char* payload : {"", "nobody asked"}) {
           (void)member->client->send_frame(frame_of(10, payload), c.deadline());
           c.fence(member);
         }
       }},
      {"transport.fragments/two-bytewise-and-empty",
       "transport.fragments",
       kMust,
       {},
       "A message in any number of fragments is one message.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         const auto say_in = [&](auto&& cut) {
           const std::string text = c.fresh_text("in parts");
           sends(c, members[0], fragments(cut(wire(c, text))), text);
           c.all_hear(members, text);
         };
         say_in([](const std::string& w) { return std::vector{w.substr(0, 7), w.substr(7)}; });
         say_in([](const std::string& w) {
           std::vector<std::string> bytes;
           for (const char octet : w) bytes.emplace_back(1, octet);
           return bytes;
         });
         say_in([](const std::string& w) {
           return std::vector<std::string>{"", w.substr(0, 9), "", w.substr(9), ""};
         });
       }},
      {"transport.fragments/within-a-character",
       "transport.fragments",
       kMust,
       {},
       "A code point may be split between fragments.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         const std::string text = c.fresh_text("预é");
         std::vector<std::string> bytes;
         for (const char octet : c.profile().room.send.render(text)) bytes.emplace_back(1, octet);
         sends(c, members[0], fragments(bytes), text);
         c.all_hear(members, text);
       }},
      {"transport.coalesced/ten-in-one-segment",
       "transport.coalesced",
       kMust,
       {},
       "Ten messages in one TCP segment are handled.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         std::vector<std::string> texts;
         std::string octets;
         for (int i = 0; i < 10; ++i) {
           texts.push_back(c.fresh_text());
           octets += RawClient::encode(frame_of(1, wire(c, texts.back())));
           c.allow(members[0]->room, texts.back());
         }
         (void)members[0]->client->send_bytes(octets, c.deadline());
         c.all_hear(members, texts);
       }},
      {"transport.coalesced/a-byte-at-a-time",
       "transport.coalesced",
       kMust,
       {},
       "One message sent a byte at a time is handled.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         const std::string text = c.fresh_text();
         c.allow(members[0]->room, text);
         for (const char octet :
              RawClient::encode(frame_of(1, wire(c, text))))  // TCP_NODELAY: a segment each
           (void)members[0]->client->send_bytes(std::string_view(&octet, 1), c.deadline());
         c.all_hear(members, text);
       }},
      {"transport.close-echo/valid-codes",
       "transport.close-echo",
       kMust,
       {},
       "A close frame is answered by a close frame and the end of TCP.",
       [](Context& c) {
         for (const std::string& payload : close_payloads()) close_and_see(c, payload);
         c.sign_of_life();
       }},
      {"transport.close-echo-code/the-one-sent",
       "transport.close-echo-code",
       Level::should,
       {},
       "The close frame that answers has the status that was sent.",
       [](Context& c) {
         for (const std::string& payload : close_payloads()) {
           const std::string got = close_and_see(c, payload).payload.substr(0, 2);
           if (got != payload.substr(0, 2))
             throw Failed("a close frame was answered with another status", status_text(payload),
                          status_text(got));
         }
       }},
      {"transport.invalid-close/codes-and-reasons",
       "transport.invalid-close",
       kMust,
       {},
       "An invalid close frame (code, one-byte body, reason) fails the connection.",
       [](Context& c) {
         const std::vector<Received> ends = offend(c, invalid_closes(), Consequence::connection_fails);
         for (std::size_t i = 0; i < ends.size(); ++i)
           if (i < kInvalidCodes.size() && ends[i].kind == Received::Kind::close && ends[i].code != 1005 &&
               ends[i].code == kInvalidCodes[i])
             throw Failed("the server repeated an invalid close code", "1002, 1007 or no close frame",
                          "close " + std::to_string(ends[i].code));
       }},
      {"transport.invalid-close-code/1002-or-1007",
       "transport.invalid-close-code",
       Level::should,
       {},
       "The connection that an invalid close frame fails ends with 1002 or 1007.",
       [](Context& c) {
         const std::vector<Offence> offences = invalid_closes();
         expect_codes(offences, offend(c, offences, Consequence::connection_fails), {1002, 1007});
       }},
      {"transport.unmasked/text-and-ping",
       "transport.unmasked",
       kMust,
       {},
       "An unmasked client frame fails the connection.",
       [](Context& c) { offend(c, unmasked(c), Consequence::connection_fails); }},
      {"transport.unmasked-code/1002",
       "transport.unmasked-code",
       Level::should,
       {},
       "The connection that an unmasked frame fails ends with 1002.",
       [](Context& c) {
         const std::vector<Offence> offences = unmasked(c);
         expect_codes(offences, offend(c, offences, Consequence::connection_fails), {1002});
       }},
      {"transport.reserved/bits-and-opcodes",
       "transport.reserved",
       kMust,
       {},
       "Reserved bits and opcodes fail the connection.",
       [](Context& c) { offend(c, reserved(c), Consequence::connection_fails); }},
      {"transport.reserved-code/1002",
       "transport.reserved-code",
       Level::should,
       {},
       "The connection that a reserved bit or opcode fails ends with 1002.",
       [](Context& c) {
         const std::vector<Offence> offences = reserved(c);
         expect_codes(offences, offend(c, offences, Consequence::connection_fails), {1002});
       }},
      {"transport.bad-sequence/fragments-and-control-frames",
       "transport.bad-sequence",
       kMust,
       {},
       "A continuation without a start, a new message inside fragments, a fragmented or oversized control "
       "frame fail the connection.",
       [](Context& c) { offend(c, bad_sequences(c), Consequence::connection_fails); }},
      {"transport.bad-sequence-code/1002",
       "transport.bad-sequence-code",
       Level::should,
       {},
       "The connection that a bad sequence fails ends with 1002.",
       [](Context& c) {
         const std::vector<Offence> offences = bad_sequences(c);
         expect_codes(offences, offend(c, offences, Consequence::connection_fails), {1002});
       }},
      {"transport.invalid-utf8/in-a-text",
       "transport.invalid-utf8",
       kMust,
       {},
       "A text that is no UTF-8 fails the connection.",
       [](Context& c) { offend(c, invalid_utf8(c), Consequence::connection_fails); }},
      {"transport.invalid-utf8-code/1007",
       "transport.invalid-utf8-code",
       Level::should,
       {},
       "The connection that invalid UTF-8 fails ends with 1007.",
       [](Context& c) {
         const std::vector<Offence> offences = invalid_utf8(c);
         expect_codes(offences, offend(c, offences, Consequence::connection_fails), {1007});
       }},
      {"transport.invalid-utf8-early/first-fragment",
       "transport.invalid-utf8-early",
       Level::should,
       {},
       "Invalid UTF-8 fails the connection before the message ends.",
       [](Context& c) {
         offend(c, {bad_frame("a first fragment that is no UTF-8", frame_of(1, "{\"msg\": \"\xff", false))},
                Consequence::connection_fails);
       }},
      {"transport.masked-server-frame/text-pong-and-close",
       "transport.masked-server-frame",
       kMust,
       {},
       "The server never masks.",
       [](Context& c) {
         const MemberPtr member = c.join(c.fresh_room());
         const std::string text = c.say(member);
         ++member->arrivals[text];
         (void)member->client->send_frame(frame_of(9, "masked?"), c.deadline());
         (void)member->client->send_close(1000, "", c.deadline());
         member->gone = true;
         int frames = 0;
         for (;;) {
           const Result<ReceivedFrame> frame = member->client->read_frame(c.deadline());
           if (!frame.ok()) break;
           ++frames;
           if (frame->masked)
             throw Failed("the server masked a frame", "no mask", "opcode " + std::to_string(frame->opcode));
         }
         member->client->close();
         if (frames == 0) throw Lost("no frame came to look at", "a text, a pong, a close frame", "none");
       }},
      {"transport.huge-length/declared-only",
       "transport.huge-length",
       kMust,
       {},
       "A declared length of 2^63 or 1 GiB does not kill or stall the server.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr witness = c.join(room), other = c.join(room);
         c.all_hear({witness, other}, c.say(other));
         for (const std::uint64_t length : {1ULL << 63, 1ULL << 62, 1ULL << 30}) {
           const MemberPtr offender = c.join(room);
           offender->gone = true;
           RawFrame frame = frame_of(1, "{");
           frame.declared_length = length;
           frame.length_bytes = 8;
           offender->client->note("declares " + std::to_string(length) + " octets");
           (void)offender->client->send_frame(frame, c.deadline());
           c.all_hear({witness, other}, c.say(other));
           c.sign_of_life();
           offender->client->close();
         }
       }},
      {"transport.huge-length/memory",
       "transport.huge-length",
       kMust,
       {"start"},
       "A declared length of 1 GiB makes the server's resident memory grow by less than 64 MiB.",
       [](Context& c) {
         constexpr std::uint64_t kMost = 64u << 20;
         const std::string room = c.fresh_room();
         const MemberPtr witness = c.join(room);
         c.fence(witness);
         const std::uint64_t before = c.run().started->resident_bytes(0);
         std::vector<MemberPtr> offenders;
         for (int i = 0; i < 8; ++i) {
           offenders.push_back(c.join(c.fresh_room()));
           offenders.back()->gone = true;
           RawFrame frame = frame_of(1, std::string(1000, '{'));
           frame.declared_length = (1ULL << 30) - 1;
           (void)offenders.back()->client->send_frame(frame, c.deadline());
         }
         for (int i = 0; i < 10; ++i) c.fence(witness);
         const std::uint64_t after = c.run().started->resident_bytes(0);
         if (after > before + kMost)
           throw Failed("memory grows with what clients declare", "less than 64 MiB more",
                        std::to_string((after - before) >> 20) + " MiB more");
         for (const MemberPtr& offender : offenders) offender->client->close();
       },
       How::alone},
      {"transport.keepalive/idle",
       "transport.keepalive",
       Level::info,
       {},
       "Whether and how often the server pings.",
       [](Context& c) {
         const MemberPtr idle = c.join(c.fresh_room());
         int pings = 0;
         while (c.observing()) {
           const Result<ReceivedFrame> frame = idle->client->read_frame(c.soon());
           if (!frame.ok() && frame.error().kind != Error::Kind::timeout)
             throw Observed("an idle connection ended after " + format_duration(c.age()));
           if (!frame.ok() || frame->opcode != 9) continue;
           ++pings;
           RawFrame pong = frame_of(10, frame->payload);
           (void)idle->client->send_frame(pong, c.deadline());
         }
         const bool longer =
             pings == 0 && c.age() < std::chrono::seconds(60);  // who pings at all does by then
         throw Observed(std::to_string(pings) + (pings == 1 ? " ping" : " pings") + " in " +
                        format_duration(c.age()) + (longer ? " (--observe 70s watches longer)" : ""));
       },
       How::observes},
  };
}

}  // namespace roomcheck::conformance
