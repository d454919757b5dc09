// The rest of RFC 6455, sections 5 to 7, that a server MUST keep (docs/RFC6455.md): what it sends, masks, and
// the end after a failure.
#include "conformance/cases/hostility.h"
#include "conformance/catalog.h"

namespace roomcheck::conformance {
namespace {

using websocket::RawFrame;
using websocket::ReceivedFrame;

// Every frame that comes until TCP ends.
std::vector<ReceivedFrame> frames_to_the_end(Context& c, const MemberPtr& member) {
  member->gone = true;
  std::vector<ReceivedFrame> out;
  for (;;) {
    Result<ReceivedFrame> frame = member->client->read_frame(c.deadline());
    if (!frame.ok() && frame.error().kind == Error::Kind::bad_input)
      throw Failed("the server sent what is no frame", "frames", frame.error().message);
    if (!frame.ok()) break;
    if (frame->opcode == 8) (void)member->client->send_frame(frame_of(8, frame->payload), c.deadline());
    out.push_back(*std::move(frame));
  }
  member->client->close();
  return out;
}

void expect_well_formed(const ReceivedFrame& frame) {
  const auto require = [&](bool good, const char* rule) {
    if (!good)
      throw Failed("the server sent a frame that RFC 6455 forbids", rule,
                   "opcode " + std::to_string(frame.opcode) + " with " +
                       std::to_string(frame.payload.size()) + " bytes");
  };
  require(frame.rsv == 0, "no reserved bit (5.2)");
  require(frame.opcode < 3 || (frame.opcode > 7 && frame.opcode < 11), "no reserved opcode (5.2)");
  require(frame.shortest, "a length in its shortest form (5.2)");
  require(frame.opcode < 8 || (frame.fin && frame.payload.size() <= 125),
          "a whole control frame of at most 125 bytes (5.5)");
  require(frame.opcode != 8 || frame.payload.size() != 1, "a close frame with a whole status (5.5.1)");
}

bool may_be_sent(int code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

std::vector<Case> transport_frames_cases() {
  return {
      {"transport.close-echo/within-a-message",
       "transport.close-echo",
       kMust,
       {},
       "A close frame between the fragments of a message is answered too, and the message reaches nobody.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         c.given([&] { c.all_hear(members, c.say(members[0])); });
         const std::string wire = c.profile().room.send.render(c.fresh_text("never whole"));
         (void)members[0]->client->send_bytes(RawClient::encode(frame_of(1, wire.substr(0, 5), false)) +
                                                  RawClient::encode(frame_of(8, close_payload(1000))),
                                              c.deadline());
         const Received end = expect_end(c, members[0], "a close frame between fragments");
         if (end.kind != Received::Kind::close)
           throw Failed("a close frame between fragments was not answered", "a close frame",
                        std::string(to_string(end.kind)));
         c.fence(members[1]);
       }},
      {"transport.masking/a-key-for-each-frame",
       "transport.masking",
       kMust,
       {},
       "Each frame is unmasked with its own key, whatever that is.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         const std::string text = c.fresh_text(), all = c.profile().room.send.render(text);
         const std::uint32_t keys[] = {0x01020304, 0, 0xffffffff, 0x80000001};
         std::string octets;
         for (std::size_t i = 0; i < std::size(keys); ++i) {
           const std::size_t part = all.size() / std::size(keys);
           const bool last = i + 1 == std::size(keys);
           RawFrame frame = frame_of(i == 0 ? 1 : 0, all.substr(i * part, last ? all.npos : part), last);
           frame.mask = keys[i];
           octets += RawClient::encode(frame);
         }
         c.allow(members[0]->room, text);
         (void)members[0]->client->send_bytes(octets, c.deadline());
         c.all_hear(members, text);
       }},
      {"transport.fail-is-final/what-follows",
       "transport.fail-is-final",
       kMust,
       {},
       "What follows a frame that fails the connection is not handled.",
       [](Context& c) {
         const auto followed = [&c](const char* what, RawFrame frame) {
           Offence offence = bad_frame(std::string(what) + " and a message", frame);
           offence.octets +=
               RawClient::encode(frame_of(1, c.profile().room.send.render(c.fresh_text("too late"))));
           return offence;
         };
         RawFrame reserved = frame_of(2, "x"), unmasked = frame_of(9, "x");
         reserved.rsv = 2;
         unmasked.masked = false;
         offend(
             c,
             {followed("a reserved bit", reserved), followed("a reserved opcode", frame_of(11, "x")),
              followed("an unmasked ping", unmasked), followed("a fragmented ping", frame_of(9, "x", false)),
              followed("a continuation without a start", frame_of(0, "x")),
              followed("a close frame of one byte", frame_of(8, "\x03"))},
             Consequence::connection_fails);
       }},
      {"transport.sent-frames/text-pong-and-close",
       "transport.sent-frames",
       kMust,
       {},
       "The frames that the server sends are well formed.",
       [](Context& c) {
         const MemberPtr member = c.join(c.fresh_room());
         for (const std::size_t size : {0u, 125u, 126u, 65'536u})
           ++member->arrivals[c.say(member, std::string(size, 'x'))];
         for (const std::size_t size : {0u, 1u, 125u})
           (void)member->client->send_frame(frame_of(9, std::string(size, 'p')), c.deadline());
         (void)member->client->send_close(1000, "", c.deadline());
         const std::vector<ReceivedFrame> frames = frames_to_the_end(c, member);
         if (frames.empty()) throw Lost("no frame came to look at", "texts, pongs, a close frame", "none");
         for (const ReceivedFrame& frame : frames) expect_well_formed(frame);
       }},
      {"transport.sent-close-code/of-answers-and-failures",
       "transport.sent-close-code",
       kMust,
       {},
       "No close frame of the server carries a status that may not be sent.",
       [](Context& c) {
         std::vector<std::pair<std::string, RawFrame>> causes;
         causes.emplace_back("a close frame without a status", frame_of(8, ""));
         for (const std::uint16_t code : {1000, 4999, 999, 1004, 1005, 1006, 1015, 2999, 5000})
           causes.emplace_back("a close frame with " + std::to_string(code),
                               frame_of(8, close_payload(code)));
         causes.emplace_back("a reserved opcode", frame_of(15, ""));
         for (const auto& [what, frame] : causes) {
           const MemberPtr member = c.join(c.fresh_room());
           c.fence(member);
           (void)member->client->send_frame(frame, c.deadline());
           for (const ReceivedFrame& got : frames_to_the_end(c, member)) {
             if (got.opcode != 8 || got.payload.size() < 2) continue;
             const int code =
                 static_cast<unsigned char>(got.payload[0]) << 8 | static_cast<unsigned char>(got.payload[1]);
             if (!may_be_sent(code))
               throw Failed("the server sent a close code that nobody may send, after " + what,
                            "1000-1003, 1007-1014, 3000-4999 or none", std::to_string(code));
           }
         }
         c.sign_of_life();
       }},
  };
}

}  // namespace roomcheck::conformance
