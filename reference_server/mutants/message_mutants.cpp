// Mutants of what a client may send: the reference server closes, these make something of it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "libs/websocket/frame.h"
#include "reference_server/mutants/wire.h"

namespace roomcheck::reference_server {
namespace {

using nlohmann::json;
using websocket::RawFrame;

constexpr std::size_t kDeep = 100000;

// A text of a room's member that is nothing for the transport or for its own mutant (deep nesting) to judge.
bool is_room_text(const Link& link, const RawFrame& frame) {
  return is_text(frame) && frame.masked && link.path() != "/ws/chat/" && link.path() != "/ws/whoami/" &&
         frame.payload.size() < kDeep && websocket::is_valid_utf8(frame.payload);
}

json parsed(const RawFrame& frame) { return json::parse(frame.payload, nullptr, false); }

bool is_message(const Link& link, const RawFrame& frame) {
  if (!is_room_text(link, frame)) return false;
  const json message = parsed(frame);
  return message.is_object() && message.contains("msg") && message["msg"].is_string();
}

Then relay(RawFrame& frame, const std::string& text) {
  frame.payload = json{{"msg", text}}.dump();
  return Then::pass;
}

WireMutant grudge() {
  return spoils_frames(
      "holds-a-grudge", {"messages.others-unharmed"},
      "The third message to a room after somebody's bad one is lost.",
      [](Link& link, RawFrame& frame) {
        if (!is_message(link, frame) || link.room().count == 0) return Then::pass;
        return ++link.room().count == 4 ? Then::drop : Then::pass;
      },
      [](Link& link, RawFrame& frame) {
        if (frame.opcode == 8 && frame.payload.compare(0, 2, "\x03\xf3") == 0) link.room().count = 1;
        return Then::pass;
      });
}

}  // namespace

std::vector<WireMutant> message_mutants() {
  return {
      spoils_frames("bad-json-relayed",
                    {"messages.bad-json", "messages.others-unharmed", "broadcast.sync-equals-async"},
                    "Text that is not JSON is a message.",
                    [](Link& link, RawFrame& frame) {
                      return is_room_text(link, frame) && parsed(frame).is_discarded() &&
                                     frame.payload.find("\\u") == frame.payload.npos
                                 ? relay(frame, "not JSON")
                                 : Then::pass;
                    }),
      spoils_frames("bom-skipped", {"messages.bad-json"}, "A byte order mark before JSON is skipped.",
                    [](Link& link, RawFrame& frame) {
                      if (is_room_text(link, frame) && frame.payload.compare(0, 3, "\xef\xbb\xbf") == 0)
                        frame.payload.erase(0, 3);
                      return Then::pass;
                    }),
      spoils_frames("any-json-relayed", {"messages.not-an-object", "messages.others-unharmed"},
                    "JSON that is no object is a message.",
                    [](Link& link, RawFrame& frame) {
                      if (!is_room_text(link, frame)) return Then::pass;
                      const json message = parsed(frame);
                      return message.is_discarded() || message.is_object() ? Then::pass
                                                                           : relay(frame, "no object");
                    }),
      spoils_frames("missing-key-is-empty", {"messages.missing-key", "messages.others-unharmed"},
                    "An object without the expected key is an empty message.",
                    [](Link& link, RawFrame& frame) {
                      if (!is_room_text(link, frame)) return Then::pass;
                      const json message = parsed(frame);
                      return message.is_object() && !message.contains("msg") ? relay(frame, "") : Then::pass;
                    }),
      spoils_frames("any-type-relayed", {"messages.wrong-type", "messages.others-unharmed"},
                    "A value that is no text is made one.",
                    [](Link& link, RawFrame& frame) {
                      if (!is_room_text(link, frame)) return Then::pass;
                      const json message = parsed(frame);
                      return message.is_object() && message.contains("msg") && !message["msg"].is_string()
                                 ? relay(frame, message["msg"].dump())
                                 : Then::pass;
                    }),
      spoils_frames("binary-is-text", {"messages.binary", "messages.others-unharmed"},
                    "A binary message is taken for text.",
                    [](Link&, RawFrame& frame) {
                      if (frame.opcode == 2) frame.opcode = 1;
                      return Then::pass;
                    }),
      spoils_frames("surrogate-on-the-wire", {"messages.lone-surrogate"},
                    "A lone surrogate is answered with what is no UTF-8.",
                    [](Link& link, RawFrame& frame) {
                      const std::size_t at = frame.payload.find("\\ud83d");
                      if (!is_text(frame) || at == frame.payload.npos ||
                          frame.payload.compare(at + 6, 2, "\\u") == 0)
                        return Then::pass;
                      link.to_client(text_frame("{\"message\": \"\xed\xa0\xbd\"}"));
                      return Then::drop;
                    }),
      spoils_frames("deep-nesting-relayed", {"messages.deep-nesting"},
                    "A message of 100,000 nested arrays is a message.",
                    [](Link&, RawFrame& frame) {
                      return is_text(frame) && frame.payload.size() > kDeep &&
                                     frame.payload.find("[[[[") != frame.payload.npos
                                 ? relay(frame, "deep")
                                 : Then::pass;
                    }),
      grudge(),
      spoils_frames("extra-keys-refused", {"messages.extra-keys-ignored"},
                    "A message with a key that the server does not know is dropped.",
                    [](Link& link, RawFrame& frame) {
                      if (!is_room_text(link, frame)) return Then::pass;
                      const json message = parsed(frame);
                      return message.is_object() && message.size() > 1 && message.contains("msg") &&
                                     !message.contains("type")
                                 ? Then::drop
                                 : Then::pass;
                    }),
      spoils_frames("drops-empty", {"broadcast.empty-text"}, "The empty text is not delivered.",
                    [](Link& link, RawFrame& frame) {
                      return is_message(link, frame) && parsed(frame)["msg"] == "" ? Then::drop : Then::pass;
                    }),
      spoils_frames("type-obeyed", {"messages.no-type-injection"}, "A client's type key chooses the handler.",
                    [](Link& link, RawFrame& frame) {
                      if (!is_room_text(link, frame)) return Then::pass;
                      const json message = parsed(frame);
                      if (!message.is_object() || message.value("type", "") != "chat_push_message")
                        return Then::pass;
                      for (Link* member : link.room().links)
                        member->to_client(text_frame(json{{"message", message["msg"]}}.dump()));
                      return Then::drop;
                    }),
  };
}

}  // namespace roomcheck::reference_server
