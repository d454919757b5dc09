#include "conformance/hints.h"

#include <string_view>
#include <utility>

namespace roomcheck::conformance {

std::string what_to_look_at(const std::string& requirement) {
  static constexpr std::pair<std::string_view, std::string_view> kHints[] = {
      {"connect", "the route table and the checks before accept()"},
      {"connect.nothing-before-101",
       "whether a broadcast can be written to a member before its 101 is (join after accept was sent)"},
      {"connect.path-exact", "the route's pattern: is it anchored at both ends, and is its case exact?"},
      {"connect.room-name",
       "the pattern for room names in the route, and whether it is applied to the decoded path"},
      {"connect.handshake-invalid-refused",
       "the WebSocket library's checks of the request, or the proxy in front of it"},
      {"connect.distinct-channel-names",
       "how channel names are made: are they random per connection, in every process?"},
      {"connect.concurrent", "the listen backlog, worker limits, and what the handshake waits for"},
      {"connect.slow-handshake-bounded",
       "how long the server, or the proxy in front of it, waits for the rest of a request"},
      {"connect.silent-join", "what connect() sends; a greeting is described by the profile's \"greeting\""},
      {"echo", "the echo consumer's receive(): it answers its own connection only"},
      {"groups.join-before-accept",
       "the order in connect(): group_add first, accept() after it has taken effect"},
      {"groups.leave",
       "disconnect(): is group_discard called however the connection ends (close frame, FIN, RST, error)?"},
      {"groups.rejoin", "whether leaving discards the old channel name from the group"},
      {"groups.isolation", "how the group name is made from the room name: do two rooms end in one group?"},
      {"groups.no-history", "whether anything is replayed to who joins"},
      {"groups.churn-harmless",
       "whether the member list is changed while it is walked, and whether one failed send ends the loop"},
      {"groups", "group_add in connect(), group_discard in disconnect()"},
      {"broadcast.includes-sender", "whether group_send leaves the sender out"},
      {"broadcast.exactly-once",
       "whether one connection is in the group twice, or a send is retried after it went through"},
      {"broadcast.sender-order",
       "what can overtake: one task per message, or several workers that write to one connection"},
      {"broadcast.concurrent-senders", "whether two writers can share a connection without a queue"},
      {"broadcast.text-frame",
       "the handler that builds the reply: its keys, and text rather than binary frames"},
      {"broadcast.unicode", "every place where the text is encoded, decoded, escaped or cut"},
      {"broadcast.sizes",
       "frame lengths at 126 and 65536 bytes, and size limits of the server, the layer or a proxy"},
      {"broadcast.slow-member",
       "whether writing to one member can block the others: a send buffer with a bound and a policy"},
      {"broadcast", "group_send in receive(), and the handler of its event type"},
      {"push.forged-lifecycle", "which event types may come from outside"},
      {"push",
       "the handler of the pushed event's type, and the profile's \"group\": does it name the room's group?"},
      {"direct", "who gets what is sent to one channel name; in the profile, \"direct\""},
      {"messages.others-unharmed", "whether an exception in one consumer reaches the room"},
      {"messages.close-code", "how the connection is closed after an exception: a close frame with 1011"},
      {"messages.too-big", "the server's limit for messages, and the code 1009"},
      {"messages", "receive(): what it does with a message it cannot take; in the profile, \"bad_message\""},
      {"transport.huge-length", "whether a declared length is allocated before the bytes are there"},
      {"transport", "the WebSocket library, its version and its settings (RFC 6455)"},
      {"auth.bad-session", "the session middleware: a cookie that does not verify is nobody, not an error"},
      {"auth", "the session middleware around the routes; in the profile, \"auth\""},
      {"origin", "the allowed origins: host, subdomains, scheme and port; in the profile, \"origin\""},
      {"cluster", "whether all nodes use one channel layer (same address, same prefix)"},
      {"cluster.node-death", "what becomes of a dead node's members: entries must expire or be harmless"},
  };
  std::string_view longest, hint;
  for (const auto& [id, text] : kHints)
    if (requirement.compare(0, id.size(), id) == 0 && id.size() > longest.size()) {
      longest = id;
      hint = text;
    }
  return std::string(hint);
}

}  // namespace roomcheck::conformance
