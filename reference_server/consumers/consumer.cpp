#include "reference_server/consumers/consumer.h"

#include "libs/event/event.h"

namespace roomcheck::reference_server {
namespace {

template <class Bad>
std::string text_of(const channel_layer::Event& map, const char* key) {
  if (!map.is_object()) throw Bad("expected a JSON object");
  const auto found = map.find(key);
  if (found == map.end()) throw Bad(std::string("the key \"") + key + "\" is missing");
  if (!found->is_string()) throw Bad(std::string("the value of \"") + key + "\" is no text");
  return found->template get<std::string>();
}

}  // namespace

channel_layer::Event json_loads(std::optional<std::string_view> text_data) {
  if (!text_data) throw BadMessage("No text section for incoming WebSocket frame!");
  Result<channel_layer::Event> parsed = event::parse_json(*text_data);
  if (!parsed.ok()) throw BadMessage(parsed.error().message);
  return std::move(parsed).value();
}

std::string text_of_message(const channel_layer::Event& message, const char* key) {
  return text_of<BadMessage>(message, key);
}
std::string text_of_event(const channel_layer::Event& event, const char* key) {
  return text_of<BadEvent>(event, key);
}

std::string message_json(std::string_view message) {
  std::string out = R"({"message": )";
  out.reserve(message.size() + 16);
  event::append_python_json_string(out, message);
  return out += '}';
}

}  // namespace roomcheck::reference_server
