#include "conformance/discovery.h"

namespace roomcheck::conformance {

std::string discover_group(const Run& run) {
  Context context(run, "discovery", 0);
  const std::string room = context.fresh_room();
  try {
    context.join(room);
  } catch (const Failed& e) {
    throw StartFailure("the target cannot be asked how it names its groups: " + std::string(e.what()) +
                       " (expected " + e.expected + ", got " + e.actual + ")");
  }
  // A subscription may come after the handshake's answer; not so a group that was asked for and is not there.
  const Nanoseconds end = context.deadline();
  for (;;) {
    const Result<std::vector<std::string>> groups = run.control->groups_with(room);
    if (!groups.ok() && groups.error().kind == Error::Kind::unsupported)
      throw BadInput("/group \"discover\": " + groups.error().message +
                     "; give the group as a text with {room}");
    if (!groups.ok()) throw StartFailure(groups.error().message);
    if (groups->size() == 1) {
      std::string out = groups->front();
      return out.replace(out.find(room), room.size(), "{room}");
    }
    if (groups->size() > 1 || steady_clock().now() >= end)
      throw BadInput(
          "/group \"discover\": " + std::to_string(groups->size()) +
          " groups hold the name of the room that was joined; give the group as a text with {room}");
  }
}

}  // namespace roomcheck::conformance
