// Mutants of frames: RFC 6455 as a careless implementation keeps it.
#include <algorithm>
#include <utility>

#include "libs/websocket/frame.h"
#include "reference_server/mutants/wire.h"

namespace roomcheck::reference_server {
namespace {

using websocket::RawFrame;

bool is_control(const RawFrame& frame) { return frame.opcode >= 8; }

bool is_invalid_close(const RawFrame& frame) {
  if (frame.opcode != 8 || frame.payload.empty()) return false;
  if (frame.payload.size() == 1 || !websocket::is_valid_utf8(frame.payload.substr(2))) return true;
  const int code =
      static_cast<unsigned char>(frame.payload[0]) << 8 | static_cast<unsigned char>(frame.payload[1]);
  return code < 1000 || (code > 1003 && code < 1007) || (code > 1014 && code < 3000) || code > 4999;
}

// A loop that takes ten frames of a read and asks for the next read before it has handled the tenth.
WireMutant ten_a_read() {
  return spoils_frames("ten-a-read", {"transport.coalesced"},
                       "Of ten frames in one segment the last waits until more comes.",
                       [](Link& link, RawFrame& frame) {
                         for (const RawFrame& late : std::exchange(link.held, {})) link.to_server(late);
                         if (link.frames_in_read() != 10 || link.more_was_read()) return Then::pass;
                         link.held.push_back(frame);
                         return Then::drop;
                       });
}

// Sets aside what is declared, up to 32 MiB (the C library gives such a piece back when it is no longer
// needed).
WireMutant reserves() {
  WireMutant out =
      spoils_frames("huge-length-reserved", {"transport.huge-length"},
                    "Memory is reserved for what a client declares before it has come.", nullptr);
  out.huge = [](Link& link) { link.text.assign(32u << 20, '\0'); };
  return out;
}

WireMutant stalls() {
  WireMutant out = spoils_frames(
      "huge-length-stalls", {"transport.huge-length"},
      "A client that declares a huge message stalls its room.", nullptr,
      [](Link& link, RawFrame& frame) { return drop_when(link.room().marked && is_text(frame)); });
  out.huge = [](Link& link) { link.room().marked = true; };
  return out;
}

// A reader that keeps the first key it sees.
WireMutant one_mask() {
  return spoils_frames("one-mask", {"transport.masking"},
                       "Every frame of a connection is unmasked with the key of its first.",
                       [](Link& link, RawFrame& frame) {
                         if (!frame.masked) return Then::pass;
                         if (!std::exchange(link.marked, true)) link.count = frame.mask;
                         const auto wrong = static_cast<std::uint32_t>(link.count) ^ frame.mask;
                         for (std::size_t i = 0; i < frame.payload.size(); ++i)
                           frame.payload[i] = static_cast<char>(static_cast<unsigned char>(frame.payload[i]) ^
                                                                (wrong >> (24 - 8 * (i % 4)) & 0xff));
                         return Then::pass;
                       });
}

// A loop that looks at what is wrong with a read's frames after it has handed on those that are right.
WireMutant fails_late() {
  return spoils_frames("fails-late", {"transport.fail-is-final"},
                       "What follows a frame with reserved bits in the same read is handled before it.",
                       [](Link& link, RawFrame& frame) {
                         if (frame.rsv != 0 && link.more_was_read()) {
                           link.held.push_back(frame);
                           return Then::drop;
                         }
                         if (link.held.empty()) return Then::pass;
                         link.to_server(frame);
                         for (const RawFrame& late : std::exchange(link.held, {})) link.to_server(late);
                         return Then::drop;
                       });
}

}  // namespace

std::vector<WireMutant> transport_mutants() {
  return {
      spoils_frames("no-pong", {"transport.ping-pong"}, "Pings are not answered.", nullptr,
                    [](Link&, RawFrame& frame) { return drop_when(frame.opcode == 10); }),
      spoils_frames("pong-is-an-error", {"transport.unsolicited-pong"},
                    "A pong that nobody asked for ends the connection.",
                    [](Link& link, RawFrame& frame) {
                      if (frame.opcode == 10) link.cut();
                      return drop_when(frame.opcode == 10);
                    }),
      spoils_frames("twenty-fragments", {"transport.fragments"},
                    "The twentieth fragment of a message is lost.",
                    [](Link& link, RawFrame& frame) {
                      if (is_control(frame)) return Then::pass;
                      link.count = frame.opcode == 0 ? link.count + 1 : 1;
                      return drop_when(link.count == 20);
                    }),
      spoils_frames("frame-in-pieces", {"transport.coalesced"},
                    "A short frame that comes in three pieces or more is lost.",
                    [](Link& link, RawFrame& frame) {
                      return drop_when(link.pieces() > 2 && frame.payload.size() < 4096);
                    }),
      spoils_frames(
          "no-close-frame", {"transport.close-echo"},
          "A client's close frame is answered by the end of TCP alone.",
          [](Link& link, RawFrame& frame) {
            link.marked = link.marked || frame.opcode == 8;
            return Then::pass;
          },
          [](Link& link, RawFrame& frame) { return drop_when(link.marked && frame.opcode == 8); }),
      spoils_frames("invalid-close-ignored", {"transport.invalid-close", "transport.fail-is-final"},
                    "A close frame with an invalid code or reason is ignored.",
                    [](Link&, RawFrame& frame) { return drop_when(is_invalid_close(frame)); }),
      spoils_frames("unmasked-accepted", {"transport.unmasked", "transport.fail-is-final"},
                    "Unmasked frames of clients are taken.",
                    [](Link&, RawFrame& frame) {
                      frame.masked = true;
                      return Then::pass;
                    }),
      spoils_frames("reserved-accepted", {"transport.reserved", "transport.fail-is-final"},
                    "Reserved bits and frames of reserved opcodes are ignored.",
                    [](Link&, RawFrame& frame) {
                      frame.rsv = 0;
                      return drop_when((frame.opcode > 2 && frame.opcode < 8) || frame.opcode > 10);
                    }),
      spoils_frames("sequence-not-checked", {"transport.bad-sequence", "transport.fail-is-final"},
                    "A continuation without a start is ignored, and control frames may come in fragments.",
                    [](Link& link, RawFrame& frame) {
                      if (is_control(frame)) {
                        frame.fin = true;
                        return Then::pass;
                      }
                      const bool lost = frame.opcode == 0 && !link.marked;
                      link.marked = !frame.fin && !lost;
                      return drop_when(lost);
                    }),
      spoils_frames("utf8-not-checked", {"transport.invalid-utf8"},
                    "What is no UTF-8 becomes question marks.",
                    [](Link&, RawFrame& frame) {
                      if (is_text(frame) && !websocket::is_valid_utf8(frame.payload))
                        for (char& octet : frame.payload)
                          if ((static_cast<unsigned char>(octet) & 0x80U) != 0) octet = '?';
                      return Then::pass;
                    }),
      spoils_frames("masks-pongs", {"transport.masked-server-frame"}, "The server masks its pongs.", nullptr,
                    [](Link&, RawFrame& frame) {
                      frame.masked = frame.opcode == 10;
                      return Then::pass;
                    }),
      spoils_frames("long-lengths", {"transport.sent-frames"},
                    "The lengths of pongs take two octets more than they need.", nullptr,
                    [](Link&, RawFrame& frame) {
                      frame.length_bytes = frame.opcode == 10 ? 2 : 0;
                      return Then::pass;
                    }),
      spoils_frames("closes-1005", {"transport.sent-close-code"},
                    "A close frame without a status is answered with 1005.", nullptr,
                    [](Link&, RawFrame& frame) {
                      if (frame.opcode == 8 && frame.payload.empty()) frame.payload = "\x03\xed";
                      return Then::pass;
                    }),
      one_mask(),
      fails_late(),
      ten_a_read(),
      stalls(),
      reserves(),
  };
}

}  // namespace roomcheck::reference_server
