#include <set>

#include "conformance/catalog.h"
#include "conformance/context.h"

namespace roomcheck::conformance {
namespace {

const std::vector<std::string> kNeedsPush{"push", "control"};

// Control accepts or refuses; a refusal of the name or the event is what the case is about.
bool refused(Context& c, const std::string& group, const event::Event& event) {
  const Result<void> result = c.run().control->group_send(group, event);
  if (!result.ok() && result.error().kind != Error::Kind::bad_input)
    throw HarnessError(result.error().message);
  return !result.ok();
}

}  // namespace

std::vector<Case> push_cases() {
  return {
      {"push.reaches-all/three-members", "push.reaches-all", kMust, kNeedsPush,
       "A push reaches every member of the room once, as the profile's push text.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const std::vector<MemberPtr> members = c.join_many(room, 3);
         c.all_hear(members, c.push(room, "预警信息推送"));
         c.all_hear(members, c.say(members[0]));  // the fence: it came once
       }},
      {"push.isolation/another-room", "push.isolation", kMust, kNeedsPush,
       "A push reaches nobody in another room.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr member = c.join(room), other = c.join(c.fresh_room());
         c.hears(member, c.push(room));
         c.hears(other, c.push(other->room));
         c.fence(other);
       }},
      {"push.empty-room/nobody-then-somebody", "push.empty-room", kMust, kNeedsPush,
       "A push to a room without members is no error and harms nothing; nobody who joins later gets it.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         c.push(room);
         const MemberPtr late = c.join(room);
         c.hears(late, c.push(room));
         c.fence(late);
       }},
      {"push.order/thirty", "push.order", kMust, kNeedsPush, "Pushes of one producer arrive in order.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const std::vector<MemberPtr> members = c.join_many(room, 2);
         std::vector<std::string> texts;
         for (int i = 0; i < 30; ++i) texts.push_back(c.push(room));
         c.all_hear(members, texts);
       }},
      {"push.while-members-talk/both-arrive", "push.while-members-talk", kMust, kNeedsPush,
       "Pushes and members' messages at the same time all arrive.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const std::vector<MemberPtr> members = c.join_many(room, 2);
         std::set<std::string> all;
         for (int i = 0; i < 20; ++i) {
           all.insert(c.say(members[0]));
           all.insert(c.push(room));
         }
         for (const MemberPtr& member : members) {
           std::set<std::string> left = all;
           while (!left.empty()) {
             const Received got = c.next(member, c.deadline());
             if (got.kind == Received::Kind::timeout)
               throw Lost("pushes or messages are missing", "40 texts",
                          std::to_string(left.size()) + " did not come");
             if (left.erase(got.payload) == 0)
               throw Failed("something came twice or was not for this room", "each text once",
                            shown(got.payload));
           }
         }
       }},
      {"push.as-chat-message/members-event-type", "push.as-chat-message", kMust, kNeedsPush,
       "A push of the event type that members' messages use is handled as such.",
       [](Context& c) {
         if (!c.profile().push_as_message) throw CouldNotTest("the profile has no push_as_message");
         const std::string room = c.fresh_room();
         const MemberPtr member = c.join(room);
         const std::string text = c.fresh_text();
         c.allow(room, text);
         c.push_event(room, c.profile().push_as_message->event.render_json(text));
         const Result<websocket::ReceivedFrame> frame = member->client->read_frame(c.deadline());
         if (!frame.ok()) throw Lost("the push did not come", shown(text), frame.error().message);
         if (c.profile().push_as_message->receive.match(frame->payload) != text)
           throw Failed("the push was not handled as a member's message",
                        c.profile().push_as_message->receive.render(text), shown(frame->payload));
         ++member->arrivals[text];
       }},
      {"push.invalid-group-refused/odd-names", "push.invalid-group-refused", kMust, kNeedsPush,
       "A push to an invalid group name is refused with an error and reaches nobody.",
       [](Context& c) {
         const MemberPtr bystander = c.join(c.fresh_room());
         for (const std::string& name :
              {c.fresh_room(" "), c.fresh_room("/x"), c.fresh_room("房间"), std::string(100, 'x')})
           if (!refused(c, name, c.profile().push->event.render_json(c.fresh_text())))
             throw Failed("a push to an invalid group name was accepted", "an error",
                          "accepted: " + shown(name));
         if (refused(c, c.profile().group_of(bystander->room),
                     c.profile().push->event.render_json("control")))
           throw CouldNotTest("a push to a valid name is refused too");
         bystander->allowed.insert("control");
         c.hears(bystander, "control");
       }},
      {"push.unknown-type/observed",
       "push.unknown-type",
       Level::info,
       {"push", "control", "events"},
       "An event type without a handler: what becomes of the room's members.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr member = c.join(room);
         c.push_event(room, {{"type", "roomcheck_no_such_handler"}});
         c.push(room);
         const Received got = c.next(member, c.deadline());
         member->gone = true;
         throw Observed(got.kind == Received::Kind::text
                            ? "ignored: the member is still there"
                            : "the member's connection ended: " + std::string(to_string(got.kind)) +
                                  (got.code != 0 ? " " + std::to_string(got.code) : ""));
       }},
      {"push.forged-lifecycle/types-of-channels-itself",
       "push.forged-lifecycle",
       Level::should,
       {"push", "control", "events"},
       "Event types of the lifecycle, such as websocket.receive, are not executed when they come from "
       "outside.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const std::vector<MemberPtr> members = c.join_many(room, 2);
         const std::string forged = c.fresh_text("forged");
         c.push_event(room, {{"type", "websocket.receive"}, {"text", c.profile().room.send.render(forged)}});
         for (const char* type : {"websocket.disconnect", "send", "close", "accept"})
           c.push_event(room, {{"type", type}, {"code", 1000}});
         c.all_hear(members, c.push(room));
       }},
      {"push.dotted-type/same-handler",
       "push.dotted-type",
       kMust,
       {"push", "control", "events"},
       "A type with dots and the same with underscores name the same handler.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr member = c.join(room);
         for (const char separator : {'.', '_'}) {
           const std::string text = c.fresh_text();
           auto event = c.profile().push->event.render_json(text);
           std::string type = event["type"];
           for (char& letter : type) letter = letter == '.' || letter == '_' ? separator : letter;
           event["type"] = type;
           c.allow(room, text);
           c.push_event(room, event);
           c.hears(member, text);
         }
       }},
      {"push.private-type-refused/underscore",
       "push.private-type-refused",
       Level::should,
       {"push", "control", "events"},
       "A type whose handler name begins with _ is never dispatched.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr member = c.join(room);
         auto event = c.profile().push->event.render_json(c.fresh_text("private"));
         event["type"] = "_" + event["type"].get<std::string>();
         (void)refused(c, c.profile().group_of(room), event);
         c.hears(member, c.push(room));
       }},
  };
}

}  // namespace roomcheck::conformance
