from django.conf import settings
from django.urls import path

from chat import consumers

rooms = {
    'sync': consumers.ChatConsumer,
    'async': consumers.AsyncChatConsumer,
    'json': consumers.JsonChatConsumer,
    'async-json': consumers.AsyncJsonChatConsumer,
}

# Since Channels 3 a consumer class needs .as_asgi(). All rooms share one group namespace, as the seed's name
# their group after the room.
websocket_urlpatterns = [
    path('ws/chat/', consumers.EchoConsumer.as_asgi()),
    path('ws/chat/<room_name>/', rooms[settings.CHAT_CONSUMER].as_asgi()),
    path('ws/whoami/', consumers.WhoAmIConsumer.as_asgi()),
    path('ws/private/<room_name>/', consumers.PrivateChatConsumer.as_asgi()),
] + [path(f'ws/{kind}/<room_name>/', consumer.as_asgi()) for kind, consumer in rooms.items()]
