"""What ci/bench can measure: the programs that it starts, and the figures of one run of them."""
import contextlib
import json
import math
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import peers

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SERVER_CORE, CLIENT_CORE = 0, 1  # one each, where there are two
# Texts have 100 octets. The reference server and Django put before them what the seed puts there and deliver 177; what
# repeats what it hears is told as many: everybody delivers the same octets.
REPEATED = json.dumps({"msg": "x" * 166})


def warm_up(rate):
    """Seconds: TCP acknowledges the first 16 messages of a connection at once, whatever comes."""
    return max(1, math.ceil(20 / rate))


def on_core(core):
    def pin():
        if core is not None and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(0, {core})
    return pin


@contextlib.contextmanager
def server(command, core=SERVER_CORE, pattern=r"127\.0\.0\.1:(\d+)", env=None):
    """Starts a room server, yields (port, pid, text it printed), ends it by pid."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, preexec_fn=on_core(core), env=env)
        try:
            until = time.monotonic() + 20
            while True:
                out.seek(0)
                text = out.read().decode(errors="replace")
                found = re.search(pattern, text)
                if found:
                    break
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit(f"ci/bench: {command[0]} did not start: {text.strip()[-300:]}")
                time.sleep(0.02)
            yield int(found.group(1)), process.pid, text
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Bench:
    """What can be measured: each method returns figures of one run."""

    def __init__(self, options):
        self.bin = os.path.join(options.build, "bin")
        self.quick = options.quick
        self.repetitions = options.repetitions or (3 if options.quick else 5)
        self.modules = peers.install(options.build) if options.peers else None
        self.artillery = peers.install(options.build, "artillery") if options.peers else None
        self.tsung = options.peers and peers.has_tsung()
        self.io_uring = options.io_uring

    def program(self, name):
        return os.path.join(self.bin, name)

    def crowd(self, port, pid, members, core=CLIENT_CORE, **more):
        words = [self.program("floor_client"), "--port", str(port), "--pid", str(pid), "--members", str(members)]
        for key, value in more.items():
            words += ["--" + key] + ([] if value is True else [str(value)])
        done = subprocess.run(words, capture_output=True, text=True, preexec_fn=on_core(core), timeout=300)
        if done.returncode != 0:
            raise peers.NotMeasured(f"floor_client: {' '.join(done.stderr.split())[-200:]}")
        return json.loads(done.stdout)

    def rounds(self, members, window=1):
        deliveries = 100_000 if self.quick else 400_000
        return max(10, deliveries * (4 if window > 1 else 1) // (members * window))

    def fan_out(self, command, members, window=1, core=SERVER_CORE, client_core=CLIENT_CORE, share=1, **more):
        with server(command, core) as (port, pid, _):
            return self.crowd(port, pid, members, client_core, rounds=max(10, self.rounds(members, window) // share), window=window, **more)

    def floor(self, members, window=1, ring=0, **more):
        command = [self.program("floor_server")] + (["--batch"] if window > 1 else []) + (["--uring", str(ring)] if ring else [])
        return self.fan_out(command, members, window, message=REPEATED, **more)

    def reference(self, members, window=1, threads=1, **more):
        return self.fan_out([self.program("reference_server"), "--listen", "127.0.0.1:0", "--control", "off", "--threads",
                             str(threads), "--log-level", "error"], members, window, **more)

    def server_and_floor(self, members, window=1):
        """Nanoseconds of a delivery of ours and of the floor, in turns: each start of a process has luck of its own with the memory that
        it and its sockets get, and moves a ratio by a tenth."""
        starts, share = (1, 1) if self.quick else (4, 2)
        turns = [(self.reference(members, window, share=share), self.floor(members, window, share=share)) for _ in range(starts)]
        return tuple(sum(turn[which]["server_cpu_per_delivery_ns"] for turn in turns) / len(turns) for which in (0, 1))

    def plain(self, members):
        return self.fan_out([self.program("websocketpp_plain")], members, message=REPEATED)

    def daphne(self, members):
        app = os.path.join(ROOT, "conformance", "targets", "django")
        env = dict(os.environ, PYTHONPATH=app, DJANGO_SETTINGS_MODULE="mychat.settings", ROOMCHECK_LAYER="memory")
        command = ["/usr/bin/python3", "-m", "daphne", "-e", "tcp:port=0:interface=127.0.0.1", "mychat.asgi:application"]
        with server(command, pattern=r"Listening on TCP address 127\.0\.0\.1:(\d+)", env=env) as (port, pid, _):
            return self.crowd(port, pid, members, rounds=5 if self.quick else 20)

    def loadgen(self, members, rate):
        """loadgen on the floor server, with full accounting; None where it says itself that it is not to be believed."""
        with server([self.program("floor_server")]) as (port, _, _):
            words = [self.program("loadgen"), "run", "--target", f"ws://127.0.0.1:{port}", "--set", "room.path=/{room}/", "--set",
                     'room.receive={"msg": "{text}"}', "--clients", str(members), "--rooms", "1", "--senders", "1", "--rate", str(rate),
                     "--warmup", f"{warm_up(rate)}s", "--duration", "3s" if self.quick else "6s", "--connect-rate", "5000", "--json", "-"]
            done = subprocess.run(words, capture_output=True, text=True, preexec_fn=on_core(CLIENT_CORE), timeout=300)
            if done.returncode not in (0, 4):
                sys.exit(f"ci/bench: {' '.join(words)}: {done.stderr.strip()[-300:]}")
            result = json.loads(done.stdout)
            return result["generator"]["cpu_per_delivery_ns"] if result["valid"] else None

    def floor_at_rate(self, members, rate):
        with server([self.program("floor_server")]) as (port, pid, _):
            return self.crowd(port, pid, members, rate=rate, warmup=warm_up(rate), seconds=3 if self.quick else 6)["client_cpu_per_delivery_ns"]

    def ws_client(self, members, rate):
        with server([self.program("floor_server")]) as (port, _, _):
            words = ["node", os.path.join(peers.SOURCE, "ws_client.cjs"), self.modules, f"ws://127.0.0.1:{port}/bench/", str(members), str(rate),
                     str(warm_up(rate)), "3" if self.quick else "6", json.dumps({"msg": "x" * 100})]
            done = subprocess.run(words, capture_output=True, text=True, preexec_fn=on_core(CLIENT_CORE), timeout=300)
            if done.returncode != 0:
                sys.exit(f"ci/bench --peers: {' '.join(words[:4])}: {done.stderr.strip()[-300:]}")
            return json.loads(done.stdout)["cpu_per_delivery_ns"]

    def receivers(self, peer, members, rate):
        """CPU of a delivery of a peer that only receives, while a floor client beside it sends."""
        with server([self.program("floor_server")]) as (port, pid, _), peer(port, "/ws/chat/bench/", members, on_core(CLIENT_CORE)) as crowd:
            crowd.settle(60, looks=4)
            self.crowd(port, pid, 1, SERVER_CORE, rate=rate, seconds=warm_up(rate))
            crowd.settle(30, looks=1)
            before = crowd.cpu_ns()
            sent = self.crowd(port, pid, 1, SERVER_CORE, rate=rate, seconds=3 if self.quick else 6)["deliveries"]
            crowd.settle(30, looks=1)
            return (crowd.cpu_ns() - before) / (sent * members)

    def idle_server_memory(self, members):
        command = [self.program("reference_server"), "--listen", "127.0.0.1:0", "--control", "off", "--threads", "1"]
        with server(command) as (port, pid, _):
            return self.crowd(port, pid, members, idle=True)["server_rss_per_connection"]

    def idle_loadgen_memory(self, members):
        def rss(clients):
            with server([self.program("floor_server")]) as (port, _, _):
                words = [self.program("loadgen"), "run", "--target", f"ws://127.0.0.1:{port}", "--set", "room.path=/{room}/", "--set",
                         'room.receive={"msg": "{text}"}', "--clients", str(clients), "--rooms", "1", "--senders", "1", "--rate", "1",
                         "--warmup", "0s", "--duration", "1s", "--connect-rate", "5000", "--json", "-"]
                done = subprocess.run(words, capture_output=True, text=True, timeout=300)
                return json.loads(done.stdout)["generator"]["rss_bytes"]
        return (rss(members + 100) - rss(100)) / members

    def connects(self, ours, members):
        if not ours:
            with server([self.program("floor_server")]) as (port, pid, _):
                return self.crowd(port, pid, members, idle=True)["connects_per_second"]
        command = [self.program("reference_server"), "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--threads", "1"]
        with server(command) as (port, _, text):
            control = re.search(r"control on (http://\S+)", text).group(1)
            load = subprocess.Popen([self.program("loadgen"), "run", "--target", f"ws://127.0.0.1:{port}", "--clients", str(members),
                                     "--rooms", "10", "--rate", "1", "--warmup", "0s", "--duration", "1s", "--connect-rate", "1000000"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=on_core(CLIENT_CORE))
            seen = []  # the server's own count, from a tenth to nine tenths
            while load.poll() is None and (not seen or seen[-1][1] < members * 0.9):
                with urllib.request.urlopen(control + "/stats", timeout=10) as answer:
                    upgraded = json.load(answer)["upgraded"]
                if upgraded >= members * 0.1:
                    seen.append((time.monotonic(), upgraded))
                time.sleep(0.002)
            load.wait(60)
            (t0, n0), (t1, n1) = seen[0], seen[-1]
            return (n1 - n0) / (t1 - t0) if t1 > t0 else float("inf")

    def suite(self, jobs):
        """Seconds that the whole conformance suite takes, judging the reference server (which it starts itself)."""
        with socket.socket() as one, socket.socket() as other:
            for listener in (one, other):
                listener.bind(("127.0.0.1", 0))
            target, control = (f"127.0.0.1:{listener.getsockname()[1]}" for listener in (one, other))
        words = [self.program("conformance"), "--target", "ws://" + target, "--control", "http://" + control, "--jobs", str(jobs), "--start",
                 f"exec {shlex.quote(self.program('reference_server'))} --listen {target} --control {control} --log-level error"]
        before = time.monotonic()
        done = subprocess.run(words, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            sys.exit(f"ci/bench: {' '.join(words)}: {(done.stdout + done.stderr).strip()[-300:]}")
        return time.monotonic() - before

    def full_build(self):
        """Minutes that a full build of this commit takes on two cores, in a new clone, without a compiler cache."""
        with tempfile.TemporaryDirectory() as clone:
            subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
            words = ["taskset", "-c", "0,1", os.path.join("ci", "build"), "release"]
            before = time.monotonic()
            done = subprocess.run(words, cwd=clone, capture_output=True, text=True, env=dict(os.environ, CCACHE_DISABLE="1"), timeout=3600)
            if done.returncode != 0:
                sys.exit(f"ci/bench: {' '.join(words)} in a new clone: {(done.stdout + done.stderr).strip()[-300:]}")
            return (time.monotonic() - before) / 60
