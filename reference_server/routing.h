#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace roomcheck::reference_server {

// The four consumers of the seed (step 6): same behaviour, other base class.
enum class ConsumerKind { sync, async, json, async_json };

struct Route {
  enum class Kind { echo, room, whoami };
  Kind kind = Kind::echo;
  ConsumerKind consumer = ConsumerKind::async;
  std::string room;  // as decoded; may still be no valid group name
  bool login_required = false;
};

// The seed's routing.py. `path` is percent-decoded once and has no query. Exact: the trailing slash, the
// letter case and the number of segments count (SPEC connect.path-exact).
//
//   /ws/chat/                    echo
//   /ws/chat/<room>/             room, with the consumer that the server was started with
//   /ws/{sync,async,json,async-json}/<room>/
//   /ws/private/<room>/          room, for who has logged in
//   /ws/whoami/                  tells the user in scope
std::optional<Route> route(std::string_view path, ConsumerKind chat_consumer);

std::optional<ConsumerKind> consumer_kind(std::string_view name);

}  // namespace roomcheck::reference_server
