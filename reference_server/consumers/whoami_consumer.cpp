#include "reference_server/consumers/whoami_consumer.h"

#include <algorithm>

namespace roomcheck::reference_server {
namespace {

// A primary key that is a number is one in the session's text, as Django stores it, and a number in JSON.
channel_layer::Event as_json(const std::optional<std::string>& user) {
  if (!user) return nullptr;
  const bool number = user->size() <= 18 &&
                      std::all_of(user->begin(), user->end(), [](char c) { return c >= '0' && c <= '9'; }) &&
                      (user->front() != '0' || user->size() == 1);
  return number ? channel_layer::Event(std::stoll(*user)) : channel_layer::Event(*user);
}

}  // namespace

void WhoAmIConsumer::connect() { accept(); }
void WhoAmIConsumer::disconnect(int) {}

void WhoAmIConsumer::receive(std::optional<std::string_view>, std::optional<std::string_view>) {
  send(websocket::PreparedText(event::to_python_json({{"user", as_json(scope().user)}})));
}

void WhoAmIConsumer::dispatch(std::string_view handler, const channel_layer::Message&) {
  throw BadEvent("No handler for message type " + std::string(handler));
}

}  // namespace roomcheck::reference_server
