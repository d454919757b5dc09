#include "conformance/catalog.h"
#include "conformance/context.h"

namespace roomcheck::conformance {
namespace {

const std::vector<std::string> kNeedsDirect{"direct", "control"};

}  // namespace

std::vector<Case> direct_cases() {
  return {
      {"direct.only-target/one-of-three", "direct.only-target", kMust, kNeedsDirect,
       "A send to a channel name reaches that connection once and no other member of its room.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const auto [first, name] = c.join_named(room);
         const std::vector<MemberPtr> others = c.join_many(room, 2);
         c.hears(first, c.direct(name, first));
         const std::string fence = c.say(first);
         c.hears(first, fence);
         c.all_hear(others, fence);
       }},
      {"direct.not-the-group/each-by-its-own-name", "direct.not-the-group", kMust, kNeedsDirect,
       "Two members of one room can be addressed each by its own name.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const auto [a, name_of_a] = c.join_named(room);
         const auto [b, name_of_b] = c.join_named(room);
         c.hears(a, c.direct(name_of_a, a));
         c.hears(b, c.direct(name_of_b, b));
         c.all_hear({a, b}, c.say(a));
       }},
      {"direct.closed-channel/gone-then-others", "direct.closed-channel", kMust, kNeedsDirect,
       "A send to a connection that is gone is no error, reaches nobody, and does not reach a later "
       "connection.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const MemberPtr stays = c.join(room);
         const auto [gone, name] = c.join_named(room);
         c.leave(gone);
         if (c.knows_members()) c.wait_for_members(room, 1);
         c.direct(name, nullptr);
         const MemberPtr later = c.join(room);
         c.hears(stays, c.fence(later));
       }},
      {"direct.invalid-name-refused/malformed", "direct.invalid-name-refused", kMust, kNeedsDirect,
       "A malformed channel name is refused with an error and reaches nobody.",
       [](Context& c) {
         const MemberPtr bystander = c.join(c.fresh_room());
         for (const std::string& name : {std::string("a b"), std::string("a!b!c"), std::string("!a"),
                                         std::string("频道"), std::string(100, 'x')}) {
           const Result<void> result =
               c.run().control->channel_send(name, c.profile().direct->event.render_json(c.fresh_text()));
           if (result.ok())
             throw Failed("a direct send to a malformed name was accepted", "an error",
                          "accepted: " + shown(name));
           if (result.error().kind != Error::Kind::bad_input) throw HarnessError(result.error().message);
         }
         c.fence(bystander);
       }},
      {"direct.order/thirty", "direct.order", kMust, kNeedsDirect,
       "Direct sends of one producer arrive in order.",
       [](Context& c) {
         const auto [member, name] = c.join_named(c.fresh_room());
         std::vector<std::string> texts;
         for (int i = 0; i < 30; ++i) texts.push_back(c.direct(name, member));
         c.all_hear({member}, texts);
       }},
      {"direct.missing-key/observed", "direct.missing-key", Level::info, kNeedsDirect,
       "The seed's own example sends the key text where the handler reads another: what becomes of the "
       "connection.",
       [](Context& c) {
         const auto [member, name] = c.join_named(c.fresh_room());
         auto event = c.profile().direct->event.render_json("x");
         const Result<void> sent =
             c.run().control->channel_send(name, {{"type", event["type"]}, {"text", "Hello there!"}});
         if (!sent.ok()) throw Observed("the control refused it: " + sent.error().message);
         c.direct(name, member);
         const Received got = c.next(member, c.deadline());
         member->gone = true;
         throw Observed(got.kind == Received::Kind::text
                            ? "ignored: the connection is still there"
                            : "the connection ended: " + std::string(to_string(got.kind)));
       }},
  };
}

}  // namespace roomcheck::conformance
