"""Lets the suite push into an unmodified Channels deployment: run it where the project can be imported.

    conformance --target ws://HOST:PORT --profile ... --control \\
        "cmd:PYTHONPATH=/path/to/project DJANGO_SETTINGS_MODULE=mysite.settings python3 control.py"

A request a line on stdin, an answer a line on stdout (docs/PROFILES.md).
"""
import json
import sys

import django
from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer, get_channel_layer

django.setup()
layer = get_channel_layer()
names = BaseChannelLayer()  # the rule for names, which the pub/sub layer does not apply


async def members(group):
    if not hasattr(layer, '_group_key'):  # pub/sub: nobody can list a group
        return {'error': f'{type(layer).__name__} cannot list the members of a group', 'kind': 'unsupported'}
    connection = layer.connection(layer.consistent_hash(group))
    names = await connection.zrange(layer._group_key(group), 0, -1)
    return {'channels': [name.decode() for name in names]}


async def answer(request):
    if request['do'] == 'members':
        return await members(request['group'])
    try:
        if request['do'] == 'group-send':
            names.valid_group_name(request['group'])
            await layer.group_send(request['group'], request['event'])
        else:
            names.valid_channel_name(request['channel'])
            await layer.send(request['channel'], request['event'])
    except TypeError as error:  # an invalid name
        return {'error': str(error)}
    except ChannelFull:
        return {'error': 'the channel is full', 'kind': 'full'}
    return {}


async def serve():
    for line in sys.stdin:
        print(json.dumps(await answer(json.loads(line))), flush=True)


async_to_sync(serve)()
