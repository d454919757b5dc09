"""Step 7 and 8 of the seed: from a console or another program into a room, or to one connection."""
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer


def push_msg(room_name, message):
    channel_layer = get_channel_layer()
    async_to_sync(channel_layer.group_send)(
        room_name,
        {
            'type': 'chat_push_message',
            'message': message,
        }
    )


def send_to_channel(channel_name, msg):
    channel_layer = get_channel_layer()
    async_to_sync(channel_layer.send)(channel_name, {
        'type': 'chat_message',
        'message': msg,
    })
