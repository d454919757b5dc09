"""What daphne and uvicorn serve: mychat.asgi:application."""
import os

import django

os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mychat.settings')
django.setup()  # before anything imports a model: the seed's routing.py alone answers 500 to every handshake

from chat.users import create_users  # noqa: E402
from mychat.routing import application  # noqa: E402,F401

create_users()
