#include "conformance/catalog.h"
#include "conformance/context.h"

namespace roomcheck::conformance {
namespace {

void talk(Context& c, const std::vector<std::string>& payloads) {
  const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
  for (const std::string& payload : payloads) c.all_hear(members, c.say(members[0], payload));
}

std::string in_room(std::string path, const std::string& room) {
  return path.replace(path.find("{room}"), 6, websocket::percent_encode(room));
}

// Those of the profile's consumer paths that the target knows.
std::vector<std::string> offered_kinds(Context& c) {
  std::vector<std::string> out;
  for (const std::string& path : c.profile().room.consumer_paths)
    if (c.handshake(in_room(path, c.fresh_room())).status == 101) out.push_back(path);
  if (out.size() < 2)
    throw NotApplicable("the target offers " + std::to_string(out.size()) + " of the profile's " +
                        std::to_string(c.profile().room.consumer_paths.size()) + " consumer_paths");
  return out;
}

}  // namespace

std::vector<Case> broadcast_cases() {
  return {
      {"broadcast.reaches-all/three-members",
       "broadcast.reaches-all",
       kMust,
       {},
       "A message from one member reaches every member as the profile says.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 3);
         for (const MemberPtr& member : members) c.all_hear(members, c.say(member));
       }},
      {"broadcast.includes-sender/alone-and-with-others",
       "broadcast.includes-sender",
       kMust,
       {},
       "The sender is one of those whom a message reaches.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr sender = c.join(room);
         c.hears(sender, c.say(sender));
         const MemberPtr other = c.join(room);
         c.all_hear({other, sender}, c.say(sender));
       }},
      {"broadcast.exactly-once/thirty-messages",
       "broadcast.exactly-once",
       kMust,
       {},
       "Nobody gets a message twice.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 3);
         for (int i = 0; i < 30; ++i) c.all_hear(members, c.say(members[0]));
         for (int i = 0; i < 3; ++i) c.all_hear(members, c.say(members[0]));  // the fence
       }},
      {"broadcast.sender-order/thirty-back-to-back",
       "broadcast.sender-order",
       kMust,
       {},
       "Messages of one sender arrive at each member in the order sent.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 3);
         std::vector<std::string> texts;
         for (int i = 0; i < 30; ++i) texts.push_back(c.say(members[0]));
         c.all_hear(members, texts);
       }},
      {"broadcast.concurrent-senders/four-times-twenty",
       "broadcast.concurrent-senders",
       kMust,
       {},
       "Messages of 4 senders at once all arrive, none torn or mixed.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 4);
         std::vector<std::vector<std::string>> sent(4);
         for (int i = 0; i < 20; ++i)
           for (std::size_t s = 0; s < 4; ++s)
             sent[s].push_back(c.say(members[s], std::string(50, static_cast<char>('a' + s))));
         for (const MemberPtr& member : members) {
           std::vector<std::size_t> heard(4, 0);
           for (int i = 0; i < 80; ++i) {
             const Received got = c.next(member, c.deadline());
             if (got.kind == Received::Kind::timeout)
               throw Lost("messages of concurrent senders are missing", "80 messages",
                          std::to_string(i) + " messages");
             bool known = false;
             for (std::size_t s = 0; s < 4 && !known; ++s) {
               if (heard[s] >= 20 || got.payload != sent[s][heard[s]]) continue;
               ++heard[s];
               known = true;
             }
             if (!known)
               throw Failed("a message of concurrent senders is torn, doubled or out of its sender's order",
                            "the next of one sender", shown(got.payload));
           }
         }
       }},
      {"broadcast.text-frame/one-json-object",
       "broadcast.text-frame",
       kMust,
       {},
       "A room message arrives as one text message holding one JSON object with the profile's keys and no "
       "others.",
       [](Context& c) {
         const MemberPtr member = c.join(c.fresh_room());
         // Also texts that look like something else: they are text all the same.
         const std::string plain = c.fresh_text(), tag = c.fresh_text(),
                           url = "data:;base64," + c.fresh_text();
         const std::string object = R"({"message": ")" + tag + R"(", "room": true})";
         for (const std::string& text : {plain, object, url}) {
           c.say_text(member, text);
           const Result<websocket::ReceivedFrame> frame = member->client->read_frame(c.deadline());
           if (!frame.ok()) throw Lost("no message came", "a text frame", frame.error().message);
           if (frame->opcode != 1)
             throw Failed("the message is no text frame", "opcode 1",
                          "opcode " + std::to_string(frame->opcode));
           if (c.profile().room.receive.match(frame->payload) != text)
             throw Failed("the message is not what the profile says", c.profile().room.receive.render(text),
                          shown(frame->payload));
           ++member->arrivals[text];
         }
       }},
      {"broadcast.unicode/every-plane",
       "broadcast.unicode",
       kMust,
       {},
       "Any Unicode text arrives as the same code points, whether the server escapes or not.",
       [](Context& c) {
         talk(c, {"预警信息", "😀🇨🇳👩‍👩‍👧", std::string("nul \0 inside", 12),
                  "\xe2\x80\xa8 line separator", "quote \" backslash \\ slash / <b>&amp;'",
                  "tab\tnewline\nreturn\r", "\x7f\xc2\x80", "\xf4\x8f\xbf\xbf"});
       }},
      {"broadcast.unicode/escapes-in-the-input",
       "broadcast.unicode",
       kMust,
       {},
       "Any Unicode text arrives as the same code points, whether the server escapes or not.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         const std::string tag = c.fresh_text();
         c.allow(members[0]->room, tag + " 警😀/");
         std::string wire = c.profile().room.send.render(tag + " @");
         wire.replace(wire.rfind('@'), 1, "\\u8b66\\ud83d\\ude00\\/");
         (void)members[0]->client->send_text(wire, c.deadline());
         c.all_hear(members, tag + " 警😀/");
       }},
      {"broadcast.empty-text/delivered",
       "broadcast.empty-text",
       kMust,
       {},
       "The empty text is delivered.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         c.say_text(members[0], "");
         c.all_hear(members, "");
       }},
      {"broadcast.sizes/frame-length-boundaries",
       "broadcast.sizes",
       kMust,
       {},
       "Texts that make the reply cross each frame-length boundary and 1 MiB arrive whole.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         for (const std::size_t around : {125u, 126u, 65535u, 65536u})
           for (int off = -1; off <= 1; ++off) {
             const std::string empty = c.profile().room.receive.render("");
             const std::size_t overhead = empty.size() + c.fresh_text().size() + 4;
             const std::size_t size = around + static_cast<std::size_t>(off + 1) - 1;
             c.all_hear(members, c.say(members[0], std::string(size > overhead ? size - overhead : 1, 'x')));
           }
         // Whatever the server's own overhead is, some of these lie on either side of each boundary.
         for (std::size_t size = 1; size <= 130; size += 3)
           c.all_hear(members, c.say(members[0], std::string(size, 'y')));
         c.all_hear(members, c.say(members[0], std::string(1 << 20, 'z')));
       }},
      {"broadcast.big-room/five-hundred",
       "broadcast.big-room",
       kMust,
       {},
       "In a room of 500 members everyone gets a message.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 500);
         c.all_hear(members, c.say(members[0]));
         c.all_hear(members, c.say(members[499]));
       }},
      {"broadcast.burst-within-capacity/fifty-back-to-back",
       "broadcast.burst-within-capacity",
       kMust,
       {},
       "50 messages sent back to back (half of the default capacity) all arrive.",
       [](Context& c) {
         const std::vector<MemberPtr> members = c.join_many(c.fresh_room(), 2);
         std::vector<std::string> texts;
         for (int i = 0; i < 50; ++i) texts.push_back(c.say(members[0]));
         c.all_hear(members, texts);
       }},
      {"broadcast.last-words/text-then-close",
       "broadcast.last-words",
       Level::should,
       {},
       "A message followed at once by a close frame still reaches the other members.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr stays = c.join(room), leaves = c.join(room);
         const std::string text = c.fresh_text("last words");
         leaves->gone = true;
         leaves->optional.insert(text);
         c.allow(room, text);
         websocket::RawFrame say, close;
         say.payload = c.profile().room.send.render(text);
         close.opcode = 8;
         close.payload = "\x03\xe8";
         (void)leaves->client->send_bytes(RawClient::encode(say) + RawClient::encode(close), c.deadline());
         c.hears(stays, text);
         leaves->client->close();
       }},
      {"broadcast.slow-member-harmless/does-not-read",
       "broadcast.slow-member-harmless",
       kMust,
       {},
       "A member that stops reading delays or loses nothing for the others.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr talker = c.join(room), listener = c.join(room), slow = c.join(room);
         slow->gone = true;  // it reads nothing from here on; what it gets is not judged
         for (int i = 0; i < 100; ++i)
           c.all_hear({talker, listener}, c.say(talker, std::string(64 * 1024, 's')));
         slow->client->reset();
       }},
      {"broadcast.slow-member-bounded/sixteen-mebibytes",
       "broadcast.slow-member-bounded",
       Level::should,
       {},
       "The server bounds what it holds for a member that does not read: it drops messages or closes it.",
       [](Context& c) {
         constexpr std::size_t kMessages = 256;  // of 64 KiB: more than the kernel's buffers and a fair limit
         const std::string room = c.fresh_room();
         const MemberPtr talker = c.join(room), slow = c.join(room);
         slow->gone = true;
         std::vector<std::string> texts;
         for (std::size_t i = 0; i < kMessages; ++i) {
           texts.push_back(c.say(talker, std::string(64 * 1024, 's')));
           c.hears(talker, texts.back());
         }
         // Then it reads. A gap, or the end, shows a bound; once it has read enough to be no longer slow, one
         // more message lies behind the gap.
         for (std::size_t i = 0; i < kMessages; ++i) {
           if (i == 64) c.fence(talker);
           const Received got = c.next(slow, c.deadline());
           if (got.kind == Received::Kind::text && got.payload == texts[i]) continue;
           c.report("held " + std::to_string(i) + " of " + std::to_string(kMessages) +
                    " messages of 64 KiB, then " +
                    (got.kind == Received::Kind::text      ? "dropped some"
                     : got.kind == Received::Kind::timeout ? "dropped the rest"
                                                           : "closed it"));
           slow->client->close();
           return;
         }
         throw Failed("the server held everything for a member that did not read",
                      "messages dropped, or the member closed", "16 MiB held");
       }},
      {"broadcast.sync-equals-async/every-kind-in-one-room",
       "broadcast.sync-equals-async",
       kMust,
       {},
       "Where the target offers the seed's consumer kinds on several paths, all behave the same.",
       [](Context& c) {
         const std::vector<std::string> paths = offered_kinds(c);
         const std::string room = c.fresh_room();
         std::vector<MemberPtr> members;
         for (const std::string& path : paths) members.push_back(c.join(room, in_room(path, room)));
         for (const char* payload : {"", "预警 \" \\ \n"})
           for (const MemberPtr& member : members) c.all_hear(members, c.say(member, payload));
         while (members.size() > 1) {  // they leave alike, too
           c.leave(members.back());
           members.pop_back();
           for (const MemberPtr& member : members) c.all_hear(members, c.say(member));
         }
       }},
      {"broadcast.sync-equals-async/bad-messages",
       "broadcast.sync-equals-async",
       kMust,
       {},
       "Where the target offers the seed's consumer kinds on several paths, all behave the same.",
       [](Context& c) {
         for (const std::string& path : offered_kinds(c)) {
           const std::string room = c.fresh_room();
           const MemberPtr member = c.join(room, in_room(path, room));
           c.fence(member);
           (void)member->client->send_text("this is not JSON", c.deadline());
           c.expect_policy(member);
         }
       }},
  };
}

}  // namespace roomcheck::conformance
