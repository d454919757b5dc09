"""A room server of profile `seed` for the tests of conformance: fragile_room.py PORT [DELAY_SECONDS [WORD]].

It keeps the contract as far as the tests go, until somebody sends it a binary message: then it says so on stderr and exits with status 3.
Every reply is held back for the delay. WORD: with no-empty-texts empty texts are lost; with drops-one the 25th text of one
connection is lost, with swaps-one it comes after the next, once in the server's life; with drops-third what the third
connection says is lost. Needs Debian's python3-websockets.
"""
import asyncio
import json
import os
import re
import sys

import websockets

port = int(sys.argv[1])
delay = float(sys.argv[2]) if len(sys.argv) > 2 else 0
no_empty_texts = "no-empty-texts" in sys.argv
once = "drops-one" in sys.argv or "swaps-one" in sys.argv
connections = 0
rooms = {}


async def serve(socket, path):
    global once, connections
    connections += 1
    is_third = connections == 3
    said = 0
    held = []
    members = rooms.setdefault(path, set())
    members.add(socket)
    try:
        async for message in socket:
            if isinstance(message, bytes):
                print("fragile_room: a binary message, I break", file=sys.stderr, flush=True)
                os._exit(3)
            try:
                text = json.loads(message)["msg"]
                assert isinstance(text, str)
            except Exception:
                await socket.close(1011)
                return
            if no_empty_texts and not text:
                continue
            if delay:
                await asyncio.sleep(delay)
            said += 1
            if "drops-third" in sys.argv and is_third:
                continue
            frame = json.dumps({"message": "预警信息2：预警信息1：" + text})
            if once and said == 25:
                once = False
                held = [frame] if "swaps-one" in sys.argv else []
                continue
            for each in [frame, *held]:
                websockets.broadcast(members, each)
            held = []
    except websockets.ConnectionClosed:
        pass
    finally:
        members.discard(socket)


async def refuse_others(path, headers):
    if not re.fullmatch(r"/ws/chat/[A-Za-z0-9_.-]{1,99}/", path.split("?")[0]):
        return 404, [], b"no such room\n"


async def main():
    async with websockets.serve(serve, "127.0.0.1", port, process_request=refuse_others):
        await asyncio.Future()


asyncio.run(main())
