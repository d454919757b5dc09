#pragma once
#include "reference_server/consumers/consumer.h"

namespace roomcheck::reference_server {

// The seed's room (steps 5 to 7): what one member sends reaches every member of its group.
class RoomConsumer : public Consumer {
 public:
  using Consumer::Consumer;
  void connect() override;
  void disconnect(int close_code) override;
  void receive(std::optional<std::string_view> text_data,
               std::optional<std::string_view> bytes_data) override;
  void dispatch(std::string_view handler, const channel_layer::Message& event) override;

 protected:
  void receive_json(const channel_layer::Event& content);

 private:
  void chat_message(const channel_layer::Message& event);
  void chat_push_message(const channel_layer::Message& event);

  std::string room_group_name_;
};

// The JSON variants: the base class decodes, and refuses what is not text.
class JsonRoomConsumer final : public RoomConsumer {
 public:
  using RoomConsumer::RoomConsumer;
  void receive(std::optional<std::string_view> text_data,
               std::optional<std::string_view> bytes_data) override;
};

}  // namespace roomcheck::reference_server
