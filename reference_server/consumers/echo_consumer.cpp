#include "reference_server/consumers/echo_consumer.h"

namespace roomcheck::reference_server {

void EchoConsumer::connect() { accept(); }

void EchoConsumer::disconnect(int) {}

void EchoConsumer::receive(std::optional<std::string_view> text_data, std::optional<std::string_view>) {
  const auto text_data_dict = json_loads(text_data);
  const std::string message = "xxx：" + text_of_message(text_data_dict, "message");
  send(websocket::PreparedText(message_json(message)));
}

void EchoConsumer::dispatch(std::string_view handler, const channel_layer::Message&) {
  throw BadEvent("No handler for message type " + std::string(handler));
}

}  // namespace roomcheck::reference_server
