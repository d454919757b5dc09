"""The performance table of docs/PERFORMANCE.md: ours against its baselines, in one run.

Every row is a ratio of two things measured on this machine in this run: each repetition measures all variants one after
the other (interleaved), the ratio is taken within the repetition, and the table shows the median of the ratios with
their least and greatest. Absolute figures stand beside it for orientation only.
"""
import argparse
import contextlib
import functools
import itertools
import json
import math
import os
import re
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime, timezone

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


def progress(text):
    end = "\r" if sys.stderr.isatty() else "\n"
    print(("\033[K" if sys.stderr.isatty() else "") + text, end=end, file=sys.stderr, flush=True)


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

    # ---- what can be measured: each returns figures of one run

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

    def fan_out(self, command, members, window=1, core=SERVER_CORE, client_core=CLIENT_CORE, **more):
        with server(command, core) as (port, pid, _):
            return self.crowd(port, pid, members, client_core, rounds=self.rounds(members, window), window=window, **more)

    def floor(self, members, window=1, ring=0, **more):
        command = [self.program("floor_server")] + (["--batch"] if window > 1 else []) + (["--uring", str(ring)] if ring else [])
        return self.fan_out(command, members, window, message=REPEATED, **more)

    def reference(self, members, window=1, threads=1, **more):
        return self.fan_out([self.program("reference_server"), "--listen", "127.0.0.1:0", "--control", "off", "--threads",
                             str(threads), "--log-level", "error"], members, window, **more)

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
                     "3" if self.quick else "6", json.dumps({"msg": "x" * 100})]
            done = subprocess.run(words, capture_output=True, text=True, preexec_fn=on_core(CLIENT_CORE), timeout=300)
            if done.returncode != 0:
                sys.exit(f"ci/bench --peers: {' '.join(words[:4])}: {done.stderr.strip()[-300:]}")
            return json.loads(done.stdout)["cpu_per_delivery_ns"]

    def receivers(self, peer, members, rate):
        """CPU of a delivery of a peer that only receives, while a floor client beside it sends."""
        with server([self.program("floor_server")]) as (port, pid, _), peer(port, "/ws/chat/bench/", members, on_core(CLIENT_CORE)) as crowd:
            crowd.settle(60, looks=4)
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


COMPILE = "compile time of the whole project on two cores"
ONCE = re.compile(COMPILE)  # rows that are measured once
QUICK_ONCE = re.compile("10,000|Django|suite")  # with --quick


def server_ns(figures):
    return figures["server_cpu_per_delivery_ns"]


def rows(bench):
    """(what, must, aim, unit, measure() -> (ours, baseline)); lower is better but where `must` begins with >=; without a must it
    only informs."""
    most = 10_000
    out = []
    for members in (1_000, most):
        out.append((f"server, CPU per delivery, {members:,} members, against the bare epoll floor", "<= 1.15", "<= 1.0", "us",
                    lambda n=members: (server_ns(bench.reference(n)) / 1e3, server_ns(bench.floor(n)) / 1e3)))
        out.append((f"server, 8 messages due per member, {members:,} members, against the batched floor", "<= 1.2", "<= 1.0", "us",
                    lambda n=members: (server_ns(bench.reference(n, 8)) / 1e3, server_ns(bench.floor(n, 8)) / 1e3)))
    out.append(("server against websocketpp used plainly, 1,000 members", "<= 0.6", "<= 0.5", "us",
                lambda: (server_ns(bench.reference(1000)) / 1e3, server_ns(bench.plain(1000)) / 1e3)))
    if not bench.quick:  # it explains the row above
        out.append(("the bare epoll floor against websocketpp used plainly, 1,000 members: what the kernel leaves", None, "-", "us",
                    lambda: (server_ns(bench.floor(1000)) / 1e3, server_ns(bench.plain(1000)) / 1e3)))
    if bench.io_uring:
        for members, window, ring in itertools.product((1_000, most), (1, 8), (32, 128)):
            out.append((f"io_uring: the floor with {ring} sends a system call, {window} due, {members:,} members, against epoll", None, "-", "us",
                        lambda n=members, w=window, r=ring: (server_ns(bench.floor(n, w, r)) / 1e3, server_ns(bench.floor(n, w)) / 1e3)))
    out.append(("server against the Django app on daphne, 1,000 members", "<= 0.1", "<= 0.033", "us",
                lambda: (server_ns(bench.reference(1000)) / 1e3, server_ns(bench.daphne(1000)) / 1e3)))
    # A member that hears nothing for 200 ms, the least that TCP waits before it sends again, has its kernel acknowledge at once, on the
    # sender's core: at 4 a second reading costs less and the server more. 5 a second would be either.
    for members, rate in ((1_000, 50), (most, 7)) + (() if bench.quick else ((most, 4),)):
        out.append((f"loadgen, CPU per delivery with full accounting, {members:,} members at {rate}/s, against the bare epoll client",
                    "<= 1.3", "<= 1.1", "us", lambda n=members, r=rate: tuple(x if x is None else x / 1e3 for x in
                                                                               (bench.loadgen(n, r), bench.floor_at_rate(n, r)))))
    for members, rate in ((1_000, 50), (most, 7)):
        if bench.modules:
            out.append((f"peer: npm ws, CPU per delivery, only counting, {members:,} members, against the bare epoll client", None, "-", "us",
                        lambda n=members, r=rate: (bench.ws_client(n, r) / 1e3, bench.floor_at_rate(n, r) / 1e3)))
            others = [("Artillery's engine", "counting nothing", functools.partial(peers.artillery, bench.artillery))]
            others += [("Tsung", "counting octets", peers.tsung)] if bench.tsung else []
            for name, does, peer in others:
                out.append((f"peer: {name}, CPU per delivery, {does}, {members:,} members, against the bare epoll client", None, "-", "us",
                            lambda p=peer, n=members, r=rate: (bench.receivers(p, n, r) / 1e3, bench.floor_at_rate(n, r) / 1e3)))
    out.append(("server, KiB per idle connection", "<= 5", "<= 1", "KiB",
                lambda: (bench.idle_server_memory(5000) / 1024, 1.0)))
    out.append(("loadgen, KiB per idle connection", "<= 5", "<= 1", "KiB",
                lambda: (bench.idle_loadgen_memory(5000) / 1024, 1.0)))
    out.append(("connects per second, both ends ours, against the bare pair", ">= 0.5", ">= 0.8", "/s",
                lambda: (bench.connects(True, 5000), bench.connects(False, 5000))))
    out.append(("server, CPU per delivery, two event loops against one", "<= 1.25", "<= 1.05", "us",
                lambda: (server_ns(bench.reference(1000, threads=2, core=None, client_core=None)) / 1e3,
                         server_ns(bench.reference(1000, threads=1, core=None, client_core=None)) / 1e3)))
    out.append((f"time from a send to its last of {most:,} members, against the floor", "<= 1.2", "<= 1.05", "ms",
                lambda: (bench.reference(most)["last_p50_ns"] / 1e6, bench.floor(most)["last_p50_ns"] / 1e6)))

    def exponent(cost_of, *larger):
        """Of the CPU of one message against its members, fitted over all sizes; 1 is linear."""
        sizes = [100, 1_000, most, *larger]
        x, y = [math.log(n) for n in sizes], [math.log(server_ns(cost_of(n)) * n) for n in sizes]
        mx, my = statistics.mean(x), statistics.mean(y)
        return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)
    if not bench.quick:
        all_files = int(open_files() - 200)
        out.append(("cost against members (100 to the limit of open files): fitted exponent", "<= 1.05", "<= 1.0", "",
                    lambda: (exponent(bench.reference, all_files), 1.0)))
        out.append(("the same exponent, ours against the bare epoll floor's: what the kernel does not explain", None, "<= 1.0", "",
                    lambda: (exponent(bench.reference, all_files), exponent(bench.floor, all_files))))
        out.append((f"the same exponent up to {most:,} members, who hear again within 200 ms", None, "<= 1.05", "",
                    lambda: (exponent(bench.reference), 1.0)))
    for jobs, aim in ((1, "<= 10"), (8, "<= 4")):
        out.append((f"the conformance suite on the reference server, --jobs {jobs}", None, aim, "s", lambda n=jobs: (bench.suite(n), 1.0)))
    if not bench.quick:
        out.append((COMPILE, "<= 6", "<= 3", "min", lambda: (bench.full_build(), 1.0)))
    return out


def open_files():
    import resource
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20_000)


def holds(limit, value):
    if limit in (None, "-"):
        return True
    sign, number = limit.split()
    return value <= float(number) if sign == "<=" else value >= float(number)


def measure(bench, only):
    table = []
    chosen = [row for row in rows(bench) if not only or re.search(only, row[0])]
    samples = {row[0]: [] for row in chosen}
    why = {}  # there is no number
    started = time.monotonic()
    for repetition in range(bench.repetitions):
        for index, (what, _, _, _, run) in enumerate(chosen):
            if repetition > 0 and (QUICK_ONCE if bench.quick else ONCE).search(what):
                continue
            progress(f"repetition {repetition + 1} of {bench.repetitions}, {index + 1} of {len(chosen)}: {what}  ({time.monotonic() - started:.0f} s)")
            for _ in range(3):  # a run that says it is not to be believed is taken again, twice at most
                try:
                    ours, baseline = run()
                except peers.NotMeasured as reason:
                    why[what] = str(reason)
                    break
                if ours is not None:
                    samples[what].append((ours, baseline))
                    break
    if sys.stderr.isatty():
        progress("")
    for what, must, aim, unit, _ in chosen:
        if not samples[what]:
            table.append({"what": what, "must": must, "aim": aim, "met": None, "why": why.get(what)})
            continue
        ratios = [a / b for a, b in samples[what]]
        ratio = statistics.median(ratios)
        table.append({"what": what, "ratio": ratio, "least": min(ratios), "most": max(ratios), "must": must, "aim": aim, "unit": unit,
                      "ours": statistics.median(a for a, _ in samples[what]), "baseline": statistics.median(b for _, b in samples[what]),
                      "met": holds(must, ratio), "aim_met": holds(aim, ratio), "samples": samples[what]})
    return table


def cells(row):
    must = row["must"] or "-"
    if row["met"] is None:
        return [row["what"], "-", "-", "-", "-", must, row["aim"], "could not be measured" + (f": {row['why']}" if row["why"] else "")]
    verdict = "for comparison" if row["aim"] == "-" else "aim met" if row["aim_met"] else "MISSED" if not row["met"] else "met" if row["must"] else "aim missed"
    number = (lambda x: f"{x:,.0f}") if row["ours"] >= 1000 else (lambda x: f"{x:.3g}")
    return [row["what"], f"{row['ratio']:.3f}", f"{row['least']:.2f}-{row['most']:.2f}", f"{number(row['ours'])} {row['unit']}".strip(),
            f"{number(row['baseline'])} {row['unit']}".strip(), must, row["aim"], verdict]


HEAD = ["what", "ratio", "spread", "ours", "baseline", "must", "aim", "verdict"]


def as_text(table):
    lines = [HEAD] + [cells(row) for row in table]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines) + "\n"


def as_markdown(table):
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    return "\n".join(lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells(row)) + " |" for row in table]) + "\n"


def main():
    parser = argparse.ArgumentParser(prog="ci/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three short repetitions, one of what takes longest; without the exponent, the "
                        "row at 4/s and the compile time")
    parser.add_argument("--repetitions", type=int, help="of each row (5; with --quick 3)")
    parser.add_argument("--only", metavar="REGEX", help="only rows whose name matches")
    parser.add_argument("--peers", action="store_true", help="with rows for clients of others (the npm package ws, Artillery's engine, Tsung), at loadgen's load")
    parser.add_argument("--io-uring", action="store_true", help="with rows for the floor on io_uring (docs/decisions/0008)")
    parser.add_argument("--json", metavar="FILE", help="all samples, for machines")
    parser.add_argument("--markdown", metavar="FILE", help="the table, for docs/PERFORMANCE.md")
    parser.add_argument("--history", metavar="FILE", help="append one JSON line of ratios (out/bench/history.jsonl)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    table = measure(Bench(options), options.only)
    if not table:
        sys.exit(f"ci/bench: no row matches --only {options.only}")
    print(as_text(table), end="")
    result = {"started": datetime.now(timezone.utc).isoformat(timespec="seconds"), "kernel": os.uname().release,
              "cores": os.cpu_count(), "commit": subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True,
                                                                text=True).stdout.strip(), "quick": options.quick, "rows": table}
    if options.json:
        with open(options.json, "w") as out:
            json.dump(result, out, indent=1)
    if options.markdown:
        with open(options.markdown, "w") as out:
            out.write(as_markdown(table))
    history = options.history or os.path.join(ROOT, "out", "bench", "history.jsonl")
    os.makedirs(os.path.dirname(os.path.abspath(history)), exist_ok=True)
    with open(history, "a") as out:
        out.write(json.dumps({**result, "rows": {row["what"]: row.get("ratio") for row in table}}) + "\n")
    musts = [row for row in table if row["must"]]
    missed = [row["what"] for row in musts if not row["met"]]
    print(f"{len(musts) - len(missed)} of {len(musts)} musts met" + (": missed " + "; ".join(missed) if missed else ""))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
