"""The users of a test: CHAT_USERS="alice bob" are users 1 and 2, with passwords nobody can type.

`python3 -m chat.users alice` prints the Cookie header of a session of alice, as signing in would set it;
`python3 -m chat.users alice 1209601` that of a session that began so many seconds ago (Django's end after two weeks).
"""
import sys
import time

from django.conf import settings


def user(name):
    from django.contrib.auth.models import User
    return User(pk=1 + settings.CHAT_USERS.index(name), username=name, password='!' + name)


def create_users():
    if settings.CHAT_USERS:
        from django.core.management import call_command
        call_command('migrate', verbosity=0)
        for name in settings.CHAT_USERS:
            user(name).save()


def session_cookie(name):
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.signed_cookies import SessionStore
    session = SessionStore()
    session[SESSION_KEY] = str(user(name).pk)
    session[BACKEND_SESSION_KEY] = 'django.contrib.auth.backends.ModelBackend'
    session[HASH_SESSION_KEY] = user(name).get_session_auth_hash()
    session.save()
    return f'{settings.SESSION_COOKIE_NAME}={session.session_key}'


if __name__ == '__main__':
    import os

    import django
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mychat.settings')
    django.setup()
    if len(sys.argv) > 2:
        now = time.time
        time.time = lambda: now() - int(sys.argv[2])
    print(session_cookie(sys.argv[1]))
