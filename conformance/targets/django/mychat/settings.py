"""The seed's settings, with what a test wants to vary taken from the environment (docs/TARGETS.md lists the names)."""
import os

SECRET_KEY = os.environ.get('CHAT_SECRET_KEY', 'roomcheck: a key for tests only')
ALLOWED_HOSTS = ['*']
USE_TZ = True
DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'

INSTALLED_APPS = [
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'django.contrib.sessions',
    'channels',
    'chat',
]
ROOT_URLCONF = 'mychat.urls'
ASGI_APPLICATION = 'mychat.asgi.application'

# Sessions need no table: the cookie is the session. Users do: they live in memory, as long as the process.
SESSION_ENGINE = 'django.contrib.sessions.backends.signed_cookies'
DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.sqlite3',
        'NAME': 'file:chat?mode=memory&cache=shared',
    },
}

_redis = {
    'hosts': os.environ.get('REDIS_URL', 'redis://localhost:6379').split(','),
    'prefix': os.environ.get('CHANNEL_PREFIX', 'asgi'),
}
_bounds = {name.lower(): int(os.environ['CHANNEL_' + name])
           for name in ('CAPACITY', 'EXPIRY', 'GROUP_EXPIRY') if 'CHANNEL_' + name in os.environ}
_encryption = ({'symmetric_encryption_keys': [os.environ['CHANNEL_ENCRYPTION_KEY']]}
               if 'CHANNEL_ENCRYPTION_KEY' in os.environ else {})

CHANNEL_LAYERS = {
    'default': {
        'memory': {
            'BACKEND': 'channels.layers.InMemoryChannelLayer',
            'CONFIG': _bounds,
        },
        'core': {
            'BACKEND': 'channels_redis.core.RedisChannelLayer',
            'CONFIG': {**_redis, **_bounds, **_encryption},
        },
        'pubsub': {
            'BACKEND': 'channels_redis.pubsub.RedisPubSubChannelLayer',
            'CONFIG': _redis,
        },
    }[os.environ.get('CHANNEL_LAYER', 'memory')],
}

# What the seed has not: allowed origins (nothing is checked without them), the users that exist, and which
# consumer serves /ws/chat/<room>/.
CHAT_ALLOWED_ORIGINS = os.environ.get('CHAT_ALLOWED_ORIGINS', '').split()
CHAT_USERS = os.environ.get('CHAT_USERS', '').split()
CHAT_CONSUMER = os.environ.get('CHAT_CONSUMER', 'sync')
