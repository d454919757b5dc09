#include "reference_server/routing.h"

namespace roomcheck::reference_server {

std::optional<ConsumerKind> consumer_kind(std::string_view name) {
  if (name == "sync") return ConsumerKind::sync;
  if (name == "async") return ConsumerKind::async;
  if (name == "json") return ConsumerKind::json;
  if (name == "async-json") return ConsumerKind::async_json;
  return std::nullopt;
}

std::optional<Route> route(std::string_view path, ConsumerKind chat_consumer) {
  constexpr std::string_view kPrefix = "/ws/";
  if (path.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  const std::size_t slash = path.find('/');
  if (slash == path.npos) return std::nullopt;
  const std::string_view first = path.substr(0, slash);
  std::string_view rest = path.substr(slash + 1);

  const bool is_private = first == "private";
  const auto kind = first == "chat" || first == "whoami" || is_private ? std::optional(chat_consumer)
                                                                       : consumer_kind(first);
  if (!kind) return std::nullopt;
  if (first == "whoami")
    return rest.empty() ? std::optional(Route{Route::Kind::whoami, *kind, ""}) : std::nullopt;
  if (rest.empty() && first == "chat") return Route{Route::Kind::echo, *kind, ""};
  if (rest.size() < 2 || rest.back() != '/') return std::nullopt;
  rest.remove_suffix(1);
  if (rest.find('/') != rest.npos) return std::nullopt;
  return Route{Route::Kind::room, *kind, std::string(rest), is_private};
}

}  // namespace roomcheck::reference_server
