"""The seed's consumers: step 4 (echo), step 5 (sync), step 6 (async and the two JSON variants), step 7 (push).

Its two bodies that do not compile are re-indented, and the push handler that it names is written out.
"""
import json

from asgiref.sync import async_to_sync
from channels.generic.websocket import (AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer,
                                        JsonWebsocketConsumer, WebsocketConsumer)


class EchoConsumer(WebsocketConsumer):
    def connect(self):
        self.accept()

    def disconnect(self, close_code):
        pass

    def receive(self, text_data):
        text_data_dict = json.loads(text_data)
        message = 'xxx：' + text_data_dict['message']
        self.send(text_data=json.dumps({
            'message': message
        }))


class ChatConsumer(WebsocketConsumer):
    def connect(self):
        self.room_group_name = self.scope['url_route']['kwargs']['room_name']
        async_to_sync(self.channel_layer.group_add)(
            self.room_group_name,
            self.channel_name
        )
        self.accept()

    def disconnect(self, close_code):
        async_to_sync(self.channel_layer.group_discard)(
            self.room_group_name,
            self.channel_name
        )

    def receive(self, text_data=None, bytes_data=None):
        text_data_dict = json.loads(text_data)
        message = '预警信息1：' + text_data_dict['msg']
        async_to_sync(self.channel_layer.group_send)(
            self.room_group_name,
            {'type': 'chat_message', 'message': message}
        )

    def chat_message(self, event):
        message = '预警信息2：' + event['message']
        self.send(text_data=json.dumps({
            'message': message
        }))

    def chat_push_message(self, event):
        self.send(text_data=json.dumps({
            'message': event['message']
        }))


class AsyncChatConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        self.room_group_name = self.scope['url_route']['kwargs']['room_name']
        await self.channel_layer.group_add(
            self.room_group_name,
            self.channel_name
        )
        await self.accept()

    async def disconnect(self, close_code):
        await self.channel_layer.group_discard(
            self.room_group_name,
            self.channel_name
        )

    async def receive(self, text_data=None, bytes_data=None):
        text_data_dict = json.loads(text_data)
        message = '预警信息1：' + text_data_dict['msg']
        await self.channel_layer.group_send(
            self.room_group_name,
            {'type': 'chat_message', 'message': message}
        )

    async def chat_message(self, event):
        message = '预警信息2：' + event['message']
        await self.send(text_data=json.dumps({
            'message': message
        }))

    async def chat_push_message(self, event):
        await self.send(text_data=json.dumps({
            'message': event['message']
        }))


class JsonChatConsumer(JsonWebsocketConsumer):
    connect = ChatConsumer.connect
    disconnect = ChatConsumer.disconnect

    def receive_json(self, content):
        message = '预警信息1：' + content['msg']
        async_to_sync(self.channel_layer.group_send)(
            self.room_group_name,
            {'type': 'chat_message', 'message': message}
        )

    def chat_message(self, event):
        self.send_json({'message': '预警信息2：' + event['message']})

    def chat_push_message(self, event):
        self.send_json({'message': event['message']})


class AsyncJsonChatConsumer(AsyncJsonWebsocketConsumer):
    connect = AsyncChatConsumer.connect
    disconnect = AsyncChatConsumer.disconnect

    async def receive_json(self, content):
        message = '预警信息1：' + content['msg']
        await self.channel_layer.group_send(
            self.room_group_name,
            {'type': 'chat_message', 'message': message}
        )

    async def chat_message(self, event):
        await self.send_json({'message': '预警信息2：' + event['message']})

    async def chat_push_message(self, event):
        await self.send_json({'message': event['message']})


# What the seed says about scope["user"], made visible.
class WhoAmIConsumer(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data=json.dumps({'user': self.scope['user'].pk}))


class PrivateChatConsumer(AsyncChatConsumer):
    async def connect(self):
        if self.scope['user'].is_anonymous:
            await self.close()  # before accept: HTTP 403
        else:
            await super().connect()

    async def disconnect(self, close_code):
        if self.scope['user'].is_authenticated:
            await super().disconnect(close_code)
