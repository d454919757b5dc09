from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application

import chat.routing

websocket = AuthMiddlewareStack(
    URLRouter(
        chat.routing.websocket_urlpatterns
    )
)
if settings.CHAT_ALLOWED_ORIGINS:
    websocket = OriginValidator(websocket, settings.CHAT_ALLOWED_ORIGINS)

application = ProtocolTypeRouter({
    'http': get_asgi_application(),  # since Channels 4 it is not added by default
    'websocket': websocket,
})
