"""The settings of the Channels tutorial, as far as the chat needs them."""
import os

SECRET_KEY = 'roomcheck: a key for tests only'
DEBUG = True
ALLOWED_HOSTS = []  # with DEBUG: localhost and 127.0.0.1, which is what the origin validator below compares with
USE_TZ = True

INSTALLED_APPS = [
    'daphne',
    'chat',
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'django.contrib.sessions',
]
ROOT_URLCONF = 'mysite.urls'
ASGI_APPLICATION = 'mysite.asgi.application'
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}

CHANNEL_LAYERS = {
    'default': {
        'BACKEND': 'channels_redis.core.RedisChannelLayer',
        'CONFIG': {
            'hosts': [os.environ.get('REDIS_URL', 'redis://127.0.0.1:6379')],
        },
    },
}
