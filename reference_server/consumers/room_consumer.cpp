#include "reference_server/consumers/room_consumer.h"

namespace roomcheck::reference_server {

// async def connect(self):
//     self.room_group_name = self.scope['url_route']['kwargs']['room_name']
//     await self.channel_layer.group_add(self.room_group_name, self.channel_name)
//     await self.accept()
void RoomConsumer::connect() {
  room_group_name_ = scope().room_name;
  channel_layer().group_add(
      room_group_name_, channel_name(), [client = client()](const Result<void>& joined) {
        if (joined.ok()) {
          client->accept();
        } else {
          client->refuse(joined.error().kind == Error::Kind::bad_input ? 404 : 503, joined.error().message);
        }
      });
}

// async def disconnect(self, close_code):
//     await self.channel_layer.group_discard(self.room_group_name, self.channel_name)
void RoomConsumer::disconnect(int) { channel_layer().group_discard(room_group_name_, channel_name(), {}); }

// async def receive(self, text_data=None, bytes_data=None):
//     text_data_dict = json.loads(text_data)
void RoomConsumer::receive(std::optional<std::string_view> text_data, std::optional<std::string_view>) {
  receive_json(json_loads(text_data));
}

//     message = '预警信息1：' + text_data_dict['msg']
//     await self.channel_layer.group_send(self.room_group_name, {'type': 'chat_message', 'message': message})
void RoomConsumer::receive_json(const channel_layer::Event& content) {
  const std::string message = "预警信息1：" + text_of_message(content, "msg");
  channel_layer().group_send(room_group_name_, {{"type", "chat_message"}, {"message", message}}, {});
}

// async def chat_message(self, event):
//     message = '预警信息2：' + event['message']
//     await self.send(text_data=json.dumps({'message': message}))
void RoomConsumer::chat_message(const channel_layer::Message& event) {
  send_once(event, [&] { return message_json("预警信息2：" + text_of_event(*event, "message")); });
}

// The seed's push_msg (step 7) names this handler and does not show it: the pushed text, as it is.
void RoomConsumer::chat_push_message(const channel_layer::Message& event) {
  send_once(event, [&] { return message_json(text_of_event(*event, "message")); });
}

void RoomConsumer::dispatch(std::string_view handler, const channel_layer::Message& event) {
  if (handler == "chat_message") return chat_message(event);
  if (handler == "chat_push_message") return chat_push_message(event);
  throw BadEvent("No handler for message type " + std::string(handler));
}

void JsonRoomConsumer::receive(std::optional<std::string_view> text_data,
                               std::optional<std::string_view> bytes_data) {
  if (bytes_data) throw BadMessage("a binary message, where JSON text is expected");
  receive_json(json_loads(text_data));
}

}  // namespace roomcheck::reference_server
