#include "conformance/catalog.h"
#include "conformance/context.h"

namespace roomcheck::conformance {
namespace {

// One member on each node, all in one room.
std::vector<MemberPtr> on_every_node(Context& c, const std::string& room) {
  std::vector<MemberPtr> out;
  for (std::size_t node = 0; node < c.run().targets.size(); ++node)
    out.push_back(c.join(room, on_node(node)));
  return out;
}

}  // namespace

std::vector<Case> cluster_cases() {
  return {
      {"cluster.broadcast/one-room",
       "cluster.broadcast",
       kMust,
       {"cluster"},
       "Members connected to different nodes are one room.",
       [](Context& c) {
         const std::vector<MemberPtr> members = on_every_node(c, c.fresh_room());
         for (int i = 0; i < 5; ++i)
           for (const MemberPtr& member : members) c.all_hear(members, c.say(member));
       }},
      {"cluster.broadcast/sender-order",
       "cluster.broadcast",
       kMust,
       {"cluster"},
       "Messages of one sender arrive in order on every node.",
       [](Context& c) {
         const std::vector<MemberPtr> members = on_every_node(c, c.fresh_room());
         for (const MemberPtr& member : members) {
           std::vector<std::string> texts;
           for (int i = 0; i < 30; ++i) texts.push_back(c.say(member));
           c.all_hear(members, texts);
         }
       }},
      {"cluster.broadcast/isolation",
       "cluster.broadcast",
       kMust,
       {"cluster"},
       "Nothing sent in one room is seen in another, on any node.",
       [](Context& c) {
         const std::vector<MemberPtr> one = on_every_node(c, c.fresh_room()),
                                      other = on_every_node(c, c.fresh_room());
         for (int i = 0; i < 2; ++i)
           for (const auto& room : {one, other})
             for (const MemberPtr& member : room) c.all_hear(room, c.say(member));
       }},
      {"cluster.push/every-node",
       "cluster.push",
       kMust,
       {"cluster", "push", "control"},
       "A push reaches members on every node.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const std::vector<MemberPtr> members = on_every_node(c, room);
         for (int i = 0; i < 5; ++i) c.all_hear(members, c.push(room));
         c.all_hear(members, c.say(members.front()));  // the fence: each came once
       }},
      {"cluster.direct/any-node",
       "cluster.direct",
       kMust,
       {"cluster", "direct", "control"},
       "A direct send reaches a connection on any node.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         std::vector<MemberPtr> members;
         std::vector<std::string> names;
         for (std::size_t node = 0; node < c.run().targets.size(); ++node) {
           const auto [member, name] = c.join_named(room, on_node(node));
           members.push_back(member);
           names.push_back(name);
         }
         for (std::size_t i = 0; i < members.size(); ++i) c.hears(members[i], c.direct(names[i], members[i]));
         c.all_hear(members, c.say(members.front()));  // the fence: nobody else got any
       }},
      {"cluster.node-death/others-go-on",
       "cluster.node-death",
       kMust,
       {"cluster", "start"},
       "When a node is killed, members elsewhere go on.",
       [](Context& c) {
         const std::string room = c.fresh_room();
         const std::vector<MemberPtr> members = on_every_node(c, room);
         c.all_hear(members, c.say(members.front()));
         const std::size_t victim = members.size() - 1;
         members[victim]->gone = true;
         c.run().started->kill(victim);
         const std::vector<MemberPtr> left(members.begin(), members.end() - 1);
         for (int i = 0; i < 20; ++i) c.all_hear(left, c.say(left.back()));
         const MemberPtr late = c.join(room, on_node(0));
         c.all_hear({late, left.front()}, c.say(late));
       },
       How::alone},
  };
}

}  // namespace roomcheck::conformance
