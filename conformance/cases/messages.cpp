#include <algorithm>
#include <nlohmann/json.hpp>

#include "conformance/cases/hostility.h"
#include "conformance/catalog.h"

namespace roomcheck::conformance {
namespace {

using json = nlohmann::ordered_json;
using target::BadMessagePolicy;

constexpr const char* kBadJson =
    "Text that is not JSON is handled by the profile's policy; no member of the room receives anything.";
constexpr const char* kNotAnObject =
    "A JSON text that is no object is handled by the profile's policy; no member of the room receives "
    "anything.";
constexpr const char* kMissingKey =
    "An object without the expected key is handled by the profile's policy; no member of the room receives "
    "anything.";
constexpr const char* kWrongType =
    "A value that is no string is handled by the profile's policy; no member of the room receives anything.";
constexpr const char* kBinary =
    "A binary message is handled by the profile's policy, even with valid JSON inside; no member of the room "
    "receives anything.";

// What a member would send, to be spoilt.
std::string valid(Context& c) { return c.profile().room.send.render(c.fresh_text("spoilt")); }

// The message with another value in the place of its text.
std::string with_value(Context& c, const json& value) {
  json message = c.profile().room.send.render_json("@");
  const json flat = message.flatten();
  for (const auto& [pointer, leaf] : flat.items())
    if (leaf == "@") message[json::json_pointer(pointer)] = value;
  return message.dump();
}

std::string with_other_key(Context& c, bool other_case) {
  const std::string text = c.profile().room.send.render_json(c.fresh_text("spoilt")).dump();
  json message = json::parse(text), out = json::object();
  for (const auto& [key, value] : message.items()) {
    std::string other = other_case ? key : "roomcheck_" + key;
    if (other_case)
      for (char& letter : other)
        letter = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
    out[other] = value;
  }
  return out.dump();
}

std::vector<Offence> one_of_each(Context& c) {
  websocket::RawFrame binary;
  binary.opcode = 2;
  binary.payload = valid(c);
  return {bad_text("text that is not JSON", "this is not JSON"), bad_text("a JSON number", "42"),
          bad_text("an empty object", "{}"), bad_text("a number for a text", with_value(c, 1)),
          bad_frame("a binary message", binary)};
}

// The member says the wire text; everybody in the room hears `text`.
void say_as(Context& c, const MemberPtr& member, const std::string& wire, const std::string& text) {
  c.allow(member->room, text);
  (void)member->client->send_text(wire, c.deadline());
}

}  // namespace

std::vector<Case> messages_cases() {
  return {
      {"messages.bad-json/not-json",
       "messages.bad-json",
       kMust,
       {},
       kBadJson,
       [](Context& c) {
         const std::string good = valid(c);
         offend(c,
                {bad_text("text that is not JSON", "this is not JSON"),
                 bad_text("truncated JSON", good.substr(0, good.size() - 1)),
                 bad_text("JSON with trailing garbage", good + " x"),
                 bad_text("JSON in single quotes", "{'msg': 'x', 'message': 'x'}"),
                 bad_text("a trailing comma", good.substr(0, good.size() - 1) + ",}")},
                Consequence::policy);
       }},
      {"messages.bad-json/empty-text",
       "messages.bad-json",
       kMust,
       {},
       kBadJson,
       [](Context& c) {
         offend(c, {bad_text("an empty text message", ""), bad_text("white space only", " \n\t ")},
                Consequence::policy);
       }},
      {"messages.bad-json/byte-order-mark",
       "messages.bad-json",
       kMust,
       {},
       kBadJson,
       [](Context& c) {
         offend(c, {bad_text("JSON behind a byte order mark", "\xef\xbb\xbf" + valid(c))},
                Consequence::policy);
       }},
      {"messages.bad-json/raw-newline-in-a-string",
       "messages.bad-json",
       kMust,
       {},
       kBadJson,
       [](Context& c) {
         std::string wire = valid(c);
         wire.replace(wire.rfind("spoilt"), 6, "spo\nilt");
         offend(c, {bad_text("a raw newline in a string", wire)}, Consequence::policy);
       }},
      {"messages.not-an-object/each-kind",
       "messages.not-an-object",
       kMust,
       {},
       kNotAnObject,
       [](Context& c) {
         offend(c,
                {bad_text("a JSON string", json(c.fresh_text("spoilt")).dump()),
                 bad_text("a JSON number", "42"), bad_text("null", "null"), bad_text("true", "true"),
                 bad_text("an array", "[" + valid(c) + "]"), bad_text("an empty array", "[]")},
                Consequence::policy);
       }},
      {"messages.missing-key/absent-or-other",
       "messages.missing-key",
       kMust,
       {},
       kMissingKey,
       [](Context& c) {
         offend(c,
                {bad_text("an empty object", "{}"),
                 bad_text("an object with another key", with_other_key(c, false))},
                Consequence::policy);
       }},
      {"messages.missing-key/other-letter-case",
       "messages.missing-key",
       kMust,
       {},
       kMissingKey,
       [](Context& c) {
         offend(c, {bad_text("the key in upper case", with_other_key(c, true))}, Consequence::policy);
       }},
      {"messages.wrong-type/each-kind",
       "messages.wrong-type",
       kMust,
       {},
       kWrongType,
       [](Context& c) {
         offend(c,
                {bad_text("a number for a text", with_value(c, 1)),
                 bad_text("a fraction for a text", with_value(c, 1.5)),
                 bad_text("null for a text", with_value(c, nullptr)),
                 bad_text("true for a text", with_value(c, true)),
                 bad_text("an array for a text", with_value(c, json::array({"spoilt"}))),
                 bad_text("an object for a text", with_value(c, {{"message", "spoilt"}}))},
                Consequence::policy);
       }},
      {"messages.binary/json-garbage-and-nothing",
       "messages.binary",
       kMust,
       {},
       kBinary,
       [](Context& c) {
         websocket::RawFrame inside, garbage, empty;
         inside.opcode = garbage.opcode = empty.opcode = 2;
         inside.payload = valid(c);
         garbage.payload = std::string("\0\xff\xfe binary", 10);
         websocket::RawFrame half = inside;  // every fragment is of the type of the first
         half.fin = false;
         Offence halves = bad_frame("valid JSON in the fragments of a binary message", half);
         half.opcode = 0;
         half.fin = true;
         half.payload = " ";
         halves.octets += RawClient::encode(half);
         offend(c,
                {bad_frame("valid JSON in a binary message", inside), halves,
                 bad_frame("a binary message", garbage), bad_frame("an empty binary message", empty)},
                Consequence::policy);
       }},
      {"messages.lone-surrogate/escaped",
       "messages.lone-surrogate",
       kMust,
       {},
       "\\ud83d alone is handled by the profile's policy, or delivered as given; it never makes invalid "
       "UTF-8 "
       "on the wire.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr witness = c.join(room), sender = c.join(room);
         c.all_hear({witness, sender}, c.say(sender));
         std::string wire = valid(c);
         wire.replace(wire.rfind("spoilt"), 6, "\\ud83d");
         (void)sender->client->send_text(wire, c.deadline());
         // Delivered as given: JSON with the escape in it, which our own parser takes for no text at all.
         const auto escaped = [](const std::string& payload) {
           return payload.find("\\ud83d") != payload.npos || payload.find("\\uD83D") != payload.npos;
         };
         const auto next = [&c](const MemberPtr& member) {
           Received got = c.next(member, c.deadline());
           if (got.kind == Received::Kind::invalid)
             throw Failed("a lone surrogate broke the wire", "valid UTF-8", got.payload);
           return got;
         };
         // What became of it shows at its sender first: two senders have no common order, so that the
         // witness's own message is a fence only after that. A target that ignores bad messages shows
         // nothing.
         sender->gone = true;
         if (c.profile().bad_message != BadMessagePolicy::ignore &&
             next(sender).kind == Received::Kind::timeout)
           throw Lost("the sender of a lone surrogate hears no more", "the end, or its message", "nothing");
         const std::string after = c.say(witness);
         const Received got = next(witness);
         if (got.kind == Received::Kind::text && escaped(got.payload)) {
           c.hears(witness, after);
         } else if (got.kind == Received::Kind::timeout) {
           throw Lost("the other member's message did not come", shown(after), "nothing within the limit");
         } else if (got.kind != Received::Kind::text || got.payload != after) {
           throw Failed("a lone surrogate reached another member as something else",
                        "nothing, or the escape as given", shown(got.payload));
         }
         sender->client->close();
         c.sign_of_life();
       }},
      {"messages.deep-nesting/hundred-thousand-arrays",
       "messages.deep-nesting",
       kMust,
       {},
       "A message of 100,000 nested arrays is handled by the profile's policy; the server survives.",
       [](Context& c) {
         constexpr std::size_t kDepth = 100000;
         const std::string nested = std::string(kDepth, '[') + std::string(kDepth, ']');
         std::string inside = c.profile().room.send.render("@");
         inside.replace(inside.find("\"@\""), 3, nested);
         offend(c, {bad_text("100,000 nested arrays", nested), bad_text("the same as a text", inside)},
                Consequence::policy);
       }},
      {"messages.close-code/each-kind",
       "messages.close-code",
       Level::should,
       {},
       "With policy close, a close frame with 1011 (or 1003, 1007, 1008) precedes the end.",
       [](Context& c) {
         if (c.profile().bad_message != BadMessagePolicy::close)
           throw NotApplicable("the profile says that bad messages do not close");
         const std::vector<Offence> offences = one_of_each(c);
         expect_codes(offences, offend(c, offences, Consequence::policy), {1011, 1003, 1007, 1008});
       }},
      {"messages.others-unharmed/talk-goes-on",
       "messages.others-unharmed",
       kMust,
       {},
       "After a bad message the other members of the room still talk.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const std::vector<MemberPtr> others = c.join_many(room, 3);
         c.given([&] {
           for (const MemberPtr& member : others) c.all_hear(others, c.say(member));
         });
         for (const Offence& offence : one_of_each(c)) {
           const MemberPtr offender = c.join(room);
           offender->client->note("sends " + offence.what);
           (void)offender->client->send_bytes(offence.octets, c.deadline());
           if (c.profile().bad_message == BadMessagePolicy::close) {
             expect_end(c, offender, offence.what);
           } else {
             offender->gone = true;  // what it gets from here on is not judged here
             offender->client->close();
           }
           for (const MemberPtr& member : others) c.all_hear(others, c.say(member));
         }
       }},
      {"messages.extra-keys-ignored/order-and-white-space",
       "messages.extra-keys-ignored",
       kMust,
       {},
       "Other keys, key order and white space make no difference.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         const auto check = [&](auto&& change) {
           const std::string text = c.fresh_text();
           json message = c.profile().room.send.render_json(text);
           say_as(c, members[0], change(message), text);
           c.all_hear(members, text);
         };
         check([](json& m) {
           m["roomcheck_extra"] = {{"nested", {1, 2, nullptr}}};
           return m.dump();
         });
         check([](const json& m) {
           json out{{"roomcheck_first", 1}};
           out.update(m);
           return out.dump();
         });
         check([](const json& m) { return " \r\n\t" + m.dump(4) + "\n "; });
       }},
      {"messages.no-type-injection/handler-names",
       "messages.no-type-injection",
       kMust,
       {},
       "A type key sent by a client is never used to choose a handler.",
       [](Context& c) {
         if (c.profile().room.send.json().contains("type"))
           throw NotApplicable("the profile's own messages have a type");
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         std::vector<std::string> types{"boom", "websocket.disconnect", "disconnect", "_private"};
         for (const auto& external : {c.profile().push, c.profile().direct})
           if (external && external->event.json().contains("type"))
             types.push_back(external->event.json()["type"]);
         for (const std::string& type : types) {
           const std::string text = c.fresh_text();
           json message{{"type", type}};
           message.update(c.profile().room.send.render_json(text));
           say_as(c, members[0], message.dump(), text);
           for (const MemberPtr& member : members) {
             // To the letter: a handler chosen by the client might show another of the profile's texts.
             const Received got = member->client->read_message(c.deadline());
             if (got.kind == Received::Kind::timeout)
               throw Lost("a message with a type key did not arrive", shown(text),
                          "nothing within the limit");
             if (got.kind != Received::Kind::text || c.profile().room.receive.match(got.payload) != text)
               throw Failed("a client's type key (" + type + ") made a difference",
                            c.profile().room.receive.render(text), shown(got.payload));
             ++member->arrivals[text];
           }
         }
         c.hears(members[1], c.fence(members[0]));
       }},
      {"messages.duplicate-key/observed",
       "messages.duplicate-key",
       Level::info,
       {},
       "Which of two equal keys wins.",
       [](Context& c) {
         const MemberPtr member = c.join(c.fresh_room());
         const std::string first = c.fresh_text("first"), last = c.fresh_text("last");
         c.allow(member->room, first);
         c.allow(member->room, last);
         const std::string one = c.profile().room.send.render(first),
                           two = c.profile().room.send.render(last);
         (void)member->client->send_text(one.substr(0, one.rfind('}')) + ", " + two.substr(two.find('{') + 1),
                                         c.deadline());
         const Received got = c.next(member, c.deadline());
         member->gone = true;
         throw Observed(got.kind != Received::Kind::text ? "neither: " + std::string(to_string(got.kind))
                        : got.payload == last            ? "the last wins"
                        : got.payload == first           ? "the first wins"
                                                         : "something else: " + shown(got.payload));
       }},
      {"messages.ascii-escapes/observed",
       "messages.ascii-escapes",
       Level::info,
       {},
       "Whether the reply escapes what is not ASCII.",
       [](Context& c) {
         const MemberPtr member = c.join(c.fresh_room());
         const std::string text = c.say(member, "é");
         const Result<websocket::ReceivedFrame> frame = member->client->read_frame(c.deadline());
         if (!frame.ok()) throw CouldNotTest("the message did not come back");
         ++member->arrivals[text];
         throw Observed(frame->payload.find("\\u00") != std::string::npos ? "escaped (\\uXXXX)"
                                                                          : "not escaped (UTF-8 as it is)");
       }},
      {"messages.too-big/declared-length",
       "messages.too-big",
       Level::should,
       {},
       "A message over the target's limit is answered 1009; the limit is reported.",
       [](Context& c) {
         const MemberPtr sender = c.join(c.fresh_room());
         const auto declare = [&](const MemberPtr& member, std::uint64_t octets) {
           websocket::RawFrame frame;  // only its header: nobody waits for the rest
           frame.declared_length = octets;
           member->gone = true;
           (void)member->client->send_frame(frame, c.deadline());
           // Not for long: to a server that pings meanwhile our pong would be a part of the message.
           const Received got =
               c.next(member, std::min(c.deadline(), steady_clock().now() + std::chrono::seconds(5)));
           member->client->close();
           return got;
         };
         const Received huge = declare(sender, 1ULL << 30);
         if (huge.kind == Received::Kind::timeout)
           throw Observed("no limit found: the header of a message of 1 GiB is no reason to close");
         if (huge.kind != Received::Kind::close || huge.code != 1009)
           throw Failed("a message over the limit was not answered 1009", "close 1009",
                        huge.kind == Received::Kind::close ? "close " + std::to_string(huge.code)
                                                           : std::string(to_string(huge.kind)));
         const Received common = declare(c.join(c.fresh_room()), (16ULL << 20) + 1);
         c.report(common.kind == Received::Kind::timeout ? "the limit is between 16 MiB and 1 GiB"
                                                         : "the limit is at most 16 MiB");
         c.sign_of_life();
       }},
  };
}

}  // namespace roomcheck::conformance
