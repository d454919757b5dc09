"""Soaks the reference server and judges its memory and its descriptors by numbers (ci/soak).

Four loads at once: loadgen's fan-out (which accounts for every delivery), connections that come, talk and end in every way
there is, pushes over the control API, and readers that read nothing until they are closed 1013. Once a second the server's
resident memory is read. The first third of the samples is warm-up: allocator, buffers and tables find their size. In the rest
the slope is Theil and Sen's (the median over all pairs: a burst does not move it).
"""
import argparse
import itertools
import json
import os
import random
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

BIN = "build/release/bin/"
PAUSE = 0.02  # between two connections of one churner, so that loadgen keeps its share of the processor
CHURNERS = 4
SLOW_READERS = 8
# What the rest of the run may add before it is called growth: noise of the allocator on a small process.
ALLOWED_MIB = 2.0
ALLOWED_SHARE = 0.05


def upgraded(port, path, receive_buffer=0):
    """A member of a room, as a socket."""
    peer = socket.socket()
    if receive_buffer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    peer.settimeout(30)
    peer.connect(("127.0.0.1", port))
    peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
    return peer


def frame(opcode, payload):
    """Masked with zeros, shorter than 126 octets."""
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload


class Soak:
    def __init__(self, server, port, control):
        self.server, self.port, self.control = server, port, control
        self.stopping = threading.Event()
        self.counts = {"churned": 0, "pushed": 0, "slow readers": 0}
        self.failures = []

    def repeat(self, step, name):
        """Until the end; what goes wrong is kept and ends the run."""
        while not self.stopping.is_set():
            try:
                self.counts[name] += step()
            except Exception as e:  # pylint: disable=broad-except
                if not self.stopping.is_set():
                    self.failures.append(f"{name}: {e!r}")
                    self.stopping.set()

    def churn(self):
        """One connection that ends in one of the ways there are."""
        way = random.randrange(6)
        with upgraded(self.port, f"/ws/chat/churn{random.randrange(20)}/") as peer:
            if way != 0:  # 0: goes away during the handshake
                answer = peer.recv(4096)
                if not answer.startswith(b"HTTP/1.1 101"):
                    raise RuntimeError(f"not let in: {answer[:80]!r}")
                peer.sendall(frame(1, b'{"msg": "here I am"}'))
            if way == 1:
                peer.sendall(frame(8, struct.pack("!H", 1000)))
            elif way == 2:
                peer.sendall(frame(1, b"not json"))  # closed 1011
            elif way == 3:
                peer.sendall(b"\xff\xff\xff\xff")  # closed 1002
            elif way == 4:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST
        self.stopping.wait(PAUSE)
        return 1

    def push(self, room, size):
        body = json.dumps({"type": "chat_push_message", "message": "x" * size}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control}/groups/{room}/send", body, timeout=30) as answer:
            if answer.status != 200:
                raise RuntimeError(f"push answered {answer.status}")
        self.stopping.wait(PAUSE)
        return 1

    def slow_readers(self):
        """A few members that read nothing; their room is pushed into until they are closed."""
        before = self.metric("slow_readers_closed_total")
        peers = [upgraded(self.port, "/ws/chat/slow/", 4096) for _ in range(SLOW_READERS)]
        while not self.stopping.is_set() and self.metric("slow_readers_closed_total") < before + len(peers):
            self.push("slow", 200_000)
        for peer in peers:
            peer.close()
        return len(peers) if not self.stopping.is_set() else 0

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
            return int(re.search(rf"^roomcheck_{name} (\d+)$", answer.read().decode(), re.M)[1])

    def memory_mib(self):
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.server.pid}/fd"))


def slope_per_second(samples):
    """Theil-Sen over at most 200 points."""
    points = samples[::max(1, len(samples) // 200)]
    return statistics.median((b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.combinations(points, 2))


def run(minutes, json_file):
    server = subprocess.Popen([BIN + "reference_server", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0",
                               "--send-buffer-limit", "1MiB"], stdout=subprocess.PIPE, text=True)
    port, control = map(int, re.search(r"127\.0\.0\.1:(\d+).*127\.0\.0\.1:(\d+)", server.stdout.readline()).groups())
    soak = Soak(server, port, control)
    at_rest = soak.descriptors()
    results = tempfile.NamedTemporaryFile(suffix=".json")
    loadgen = subprocess.Popen(
        [BIN + "loadgen", "run", "--target", f"ws://127.0.0.1:{port}", "--clients", "300", "--rooms", "10", "--rate", "50",
         "--warmup", "0", "--duration", f"{minutes * 60:.0f}s", "--drain", "30s", "--json", results.name],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    steps = [(soak.churn, "churned")] * CHURNERS + [(lambda: soak.push("churn1", 500), "pushed"), (soak.slow_readers, "slow readers")]
    threads = [threading.Thread(target=soak.repeat, args=step) for step in steps]
    for thread in threads:
        thread.start()
    samples = []
    begin = time.monotonic()
    while loadgen.poll() is None and server.poll() is None and not soak.stopping.wait(1):
        samples.append((time.monotonic() - begin, soak.memory_mib(), soak.descriptors()))
    soak.stopping.set()
    for thread in threads:
        thread.join()
    if loadgen.poll() is None:
        loadgen.send_signal(signal.SIGINT)
    try:
        generator = loadgen.wait(60)
        deadline = time.monotonic() + 30
        while server.poll() is None and soak.metric("connections") > 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        while server.poll() is None and soak.descriptors() > at_rest and time.monotonic() < deadline:
            time.sleep(0.1)
        left = soak.descriptors() if server.poll() is None else None
    finally:
        server.terminate()
        ended = server.wait(30)
    if ended != 0:
        soak.failures.append(f"the server ended with {ended}")
    if not samples or len(samples) < 30:
        soak.failures.append("fewer than 30 samples: give it more --minutes")
    if not soak.failures:
        judge(soak, samples, at_rest, left, generator, results.name, json_file)
    for failure in soak.failures:
        print("FAILED  " + failure)
    if not soak.failures:
        print("PASSED  memory and descriptors are flat, and nobody missed a message")
    return 1 if soak.failures else 0


def judge(soak, samples, at_rest, left, generator, result_file, json_file):
    settled = samples[len(samples) // 3:]
    slope = slope_per_second([(at, memory) for at, memory, _ in settled])
    grown = slope * (settled[-1][0] - settled[0][0])
    level = statistics.median(memory for _, memory, _ in settled)
    allowed = max(ALLOWED_MIB, ALLOWED_SHARE * level)
    with open(result_file, encoding="utf-8") as result:
        delivery = json.load(result)["delivery"]
    figures = {
        "seconds": round(samples[-1][0]), "memory_mib": round(level, 1), "memory_peak_mib": round(max(s[1] for s in samples), 1),
        "slope_kib_per_minute": round(slope * 60 * 1024, 1), "grown_mib": round(grown, 2), "allowed_mib": round(allowed, 2),
        "descriptors_at_rest": at_rest, "descriptors_peak": max(s[2] for s in samples), "descriptors_left": left,
        **{name.replace(" ", "_"): count for name, count in soak.counts.items()},
        "deliveries": delivery["delivered"], "lost": delivery["lost"], "duplicated": delivery["duplicated"], "loadgen_exit": generator}
    for name, value in figures.items():
        print(f"{name:22} {value}")
    if json_file:
        with open(json_file, "w", encoding="utf-8") as out:
            json.dump(figures, out)
    if grown > allowed:
        soak.failures.append(f"memory grows: {grown:.2f} MiB in {settled[-1][0] - settled[0][0]:.0f} s, {allowed:.2f} allowed")
    if left != at_rest:
        soak.failures.append(f"{left - at_rest} descriptors are left open when everybody has gone")
    if delivery["lost"] or delivery["duplicated"] or generator not in (0, 4):  # 4: the machine was busy; the ledger is exact all the same
        soak.failures.append(f"loadgen ended with {generator}: {delivery['lost']} lost, {delivery['duplicated']} duplicated")
    if not all(soak.counts.values()):
        soak.failures.append(f"a part of the load never ran: {soak.counts}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="ci/soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--json", help="also write the figures here")
    arguments = parser.parse_args()
    sys.exit(run(arguments.minutes, arguments.json))
