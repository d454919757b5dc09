#!/usr/bin/python3
"""A room server (profile seed) of Debian's python3-websockets that testifies: one JSON line for each handshake.

It does what the reference server does not: ask for a client's certificate, choose a subprotocol, compress.
"""
import argparse
import asyncio
import json
import ssl

import websockets
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

parser = argparse.ArgumentParser()
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--client-ca", help="every client must show a certificate of it")
parser.add_argument("--subprotocol", action="append")
parser.add_argument("--deflate", action="append", help="permessage-deflate, with this argument of its factory set; 'yes': none")
parser.add_argument("--bomb", type=int, help="answer with a text of that many zeros")
options = parser.parse_args()

rooms = {}


def testify(socket):
    certificate = socket.transport.get_extra_info("peercert")
    print(json.dumps({
        "path": socket.path,
        "from": socket.remote_address[0],
        "headers": list(socket.request_headers.raw_items()),
        "certificate": certificate and dict(pair[0] for pair in certificate["subject"]).get("commonName"),
        "subprotocol": socket.subprotocol,
        "extensions": socket.response_headers.get("Sec-WebSocket-Extensions", ""),
    }), flush=True)


async def serve(socket):
    testify(socket)
    members = rooms.setdefault(socket.path, set())
    members.add(socket)
    try:
        async for message in socket:
            if options.bomb:
                await socket.send("0" * options.bomb)
                continue
            text = json.dumps({"message": "预警信息2：预警信息1：" + json.loads(message)["msg"]})
            websockets.broadcast(members, text)
    finally:
        members.discard(socket)


async def main():
    tls = None
    if options.cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.cert, options.key)
        if options.client_ca:
            tls.load_verify_locations(options.client_ca)
            tls.verify_mode = ssl.CERT_REQUIRED
    extensions = None
    if options.deflate:
        values = {name: True if name.endswith("takeover") else 9 for name in options.deflate if name != "yes"}
        extensions = [ServerPerMessageDeflateFactory(**values)]
    server = await websockets.serve(serve, "127.0.0.1", 0, ssl=tls, subprotocols=options.subprotocol, compression=None,
                                    extensions=extensions, max_size=None)
    print("listening on %s://127.0.0.1:%d/" % ("wss" if tls else "ws", server.sockets[0].getsockname()[1]), flush=True)
    await asyncio.Future()


asyncio.run(main())
