#include "conformance/catalog.h"
#include "conformance/context.h"
#include "libs/base/regex.h"

namespace roomcheck::conformance {
namespace {

// After `goes` ended a member's connection, the room has one member less and the others get each message
// once.
void leaving(Context& c, void (*goes)(Context&, const MemberPtr&)) {
  const std::string room = c.fresh_room();
  const MemberPtr stays = c.join(room), leaves = c.join(room);
  c.all_hear({stays, leaves}, c.say(stays));
  leaves->gone = true;
  goes(c, leaves);
  if (c.knows_members()) c.wait_for_members(room, 1);
  for (int i = 0; i < 3; ++i) c.fence(stays);
}

// The same while messages to the leaver are on their way.
void leaving_in_a_burst(Context& c, void (*goes)(RawClient&)) {
  const std::string room = c.fresh_room();
  const MemberPtr stays = c.join(room), leaves = c.join(room);
  std::vector<std::string> texts;
  for (int i = 0; i < 20; ++i) {
    texts.push_back(c.say(stays));
    if (i != 10) continue;
    leaves->gone = true;
    goes(*leaves->client);
  }
  c.all_hear({stays}, texts);
  // Only now: closed with octets unread, the kernel would send a reset after the FIN.
  while (leaves->client->is_open() && c.next(leaves, c.deadline()).kind == Received::Kind::text) {
  }
  leaves->client->close();
  if (c.knows_members()) c.wait_for_members(room, 1);
}

// Connections of one browser are known by their cookie, to a server that cares.
As one_client(Context& c) { return with_cookie("roomcheck_client=" + c.fresh_room()); }

}  // namespace

std::vector<Case> groups_cases() {
  return {
      {"groups.join-before-accept/both-ways-sixty-times",
       "groups.join-before-accept",
       kMust,
       {},
       "A client that has seen its 101 receives every message sent to the room after that moment, and what "
       "it sends right then reaches all.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr old = c.join(room);
         for (int i = 0; i < 30; ++i) {
           const MemberPtr fresh = c.join(room);
           c.all_hear({old, fresh}, c.say(fresh));
           c.leave(fresh);
           const MemberPtr second = c.join(room);
           c.all_hear({old, second}, c.say(old));
           c.leave(second);
         }
       }},
      {"groups.leave-on-close/after-the-handshake",
       "groups.leave-on-close",
       kMust,
       {},
       "After the close handshake and the client's own end of TCP the room no longer has that member; the "
       "others still get messages exactly once.",
       [](Context& c) { leaving(c, [](Context& x, const MemberPtr& m) { x.leave(m); }); }},
      {"groups.leave-on-fin/quiet-room",
       "groups.leave-on-fin",
       kMust,
       {},
       "When the TCP connection ends without a close frame the room no longer has that member, and the "
       "others still get messages exactly once.",
       [](Context& c) {
         leaving(c, [](Context&, const MemberPtr& m) {
           m->client->shutdown_write();
           m->client->close();
         });
       }},
      {"groups.leave-on-fin/during-broadcast",
       "groups.leave-on-fin",
       kMust,
       {},
       "When the TCP connection ends without a close frame the room no longer has that member, and the "
       "others still get messages exactly once.",
       [](Context& c) { leaving_in_a_burst(c, [](RawClient& client) { client.shutdown_write(); }); }},
      {"groups.leave-on-reset/quiet-room",
       "groups.leave-on-reset",
       kMust,
       {},
       "After a TCP reset the room no longer has that member, and the others still get messages exactly "
       "once.",
       [](Context& c) { leaving(c, [](Context&, const MemberPtr& m) { m->client->reset(); }); }},
      {"groups.leave-on-reset/during-broadcast",
       "groups.leave-on-reset",
       kMust,
       {},
       "After a TCP reset the room no longer has that member, and the others still get messages exactly "
       "once.",
       [](Context& c) { leaving_in_a_burst(c, [](RawClient& client) { client.reset(); }); }},
      {"groups.leave-on-protocol-error/unmasked-frame",
       "groups.leave-on-protocol-error",
       kMust,
       {},
       "When the server fails a connection for a protocol error the room no longer has that member, and the "
       "others still get messages exactly once.",
       [](Context& c) {
         leaving(c, [](Context& x, const MemberPtr& m) {
           websocket::RawFrame frame;
           frame.masked = false;
           frame.payload = "not masked";
           (void)m->client->send_frame(frame, x.deadline());
           while (x.next(m, x.deadline()).kind == Received::Kind::text) {
           }
           m->client->close();
         });
       }},
      {"groups.leave-on-bad-message/not-json",
       "groups.leave-on-bad-message",
       Level::should,
       {},
       "When a connection was closed because of a bad message the room no longer has that member, and the "
       "others still get messages exactly once.",
       [](Context& c) {
         if (c.profile().bad_message != target::BadMessagePolicy::close)
           throw NotApplicable("the profile says that bad messages do not close");
         leaving(c, [](Context& x, const MemberPtr& m) {
           (void)m->client->send_text("this is not JSON", x.deadline());
           const Received got = x.next(m, x.deadline());
           if (got.kind == Received::Kind::timeout)
             throw CouldNotTest("the bad message did not close the connection");
           m->client->close();
         });
       }},
      {"groups.rejoin/three-times",
       "groups.rejoin",
       kMust,
       {},
       "Leaving and joining again gives each later message once, not twice.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr stays = c.join(room);
         for (int i = 0; i < 3; ++i) c.leave(c.join(room));
         const MemberPtr back = c.join(room);
         for (int i = 0; i < 3; ++i) c.all_hear({stays, back}, c.say(stays));
         c.hears(stays, c.fence(back));
       }},
      {"groups.isolation/twins",
       "groups.isolation",
       kMust,
       {},
       "Nothing sent in one room is seen in another, including names that are prefixes of each other, differ "
       "only in case, or only in - _ .",
       [](Context& c) {
         const std::string base = c.fresh_room("Ab");
         std::string lower = base;
         for (char& letter : lower)
           letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
         std::vector<std::string> names{base,        lower,       base + "x",    base + "_1",
                                        base + "-1", base + ".1", c.fresh_room()};
         std::vector<MemberPtr> members;
         for (const std::string& name : names)
           if (Regex(c.profile().room.name_pattern).matches(name)) members.push_back(c.join(name));
         for (const MemberPtr& member : members) c.fence(member);
         for (const MemberPtr& member : members) c.fence(member);
       }},
      {"groups.no-history/joins-after-talk",
       "groups.no-history",
       kMust,
       {},
       "A member sees nothing that was sent before it joined.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr old = c.join(room);
         for (int i = 0; i < 5; ++i) c.fence(old);
         const MemberPtr fresh = c.join(room);
         c.fence(fresh);
       }},
      {"groups.one-connection-one-member/same-client-twice",
       "groups.one-connection-one-member",
       kMust,
       {},
       "Two connections of one client to one room each receive every message once.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const As client = one_client(c);
         const std::vector<MemberPtr> both{c.join(room, client), c.join(room, client)};
         for (const MemberPtr& member : both) c.all_hear(both, c.say(member));
         for (const MemberPtr& member : both) c.all_hear(both, c.say(member));
       }},
      {"groups.two-rooms/one-client-in-each",
       "groups.two-rooms",
       kMust,
       {},
       "One client with a connection in each of two rooms gets each room's messages on that room's "
       "connection only.",
       [](Context& c) {
         const As client = one_client(c);
         const MemberPtr a = c.join(c.fresh_room(), client), b = c.join(c.fresh_room(), client);
         for (int i = 0; i < 3; ++i) {
           c.fence(a);
           c.fence(b);
         }
       }},
      {"groups.churn-harmless/fifty-come-and-go",
       "groups.churn-harmless",
       kMust,
       {},
       "While others join and leave as fast as they can, members that stay get every message exactly once, "
       "in order.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const std::vector<MemberPtr> stay = c.join_many(room, 2);
         for (int i = 0; i < 50; ++i) {
           const std::string text = c.say(stay[static_cast<std::size_t>(i) % 2]);
           const RawResponse visitor = c.handshake(c.profile().room_path(room));
           if (visitor.status != 101)
             throw Lost("a visitor was not accepted", "101", "HTTP " + std::to_string(visitor.status));
           c.all_hear(stay, text);
         }
       }},
      {"groups.empty-room-reborn/last-leaves",
       "groups.empty-room-reborn",
       kMust,
       {},
       "A room whose last member left works as new for the next.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         for (int i = 0; i < 3; ++i) {
           const MemberPtr only = c.join(room);
           c.fence(only);
           c.leave(only);
         }
       }},
  };
}

}  // namespace roomcheck::conformance
