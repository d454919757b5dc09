"""What loadgen and a tool of others report of a target whose delays are known: the table of docs/MEASURING.md.

The target is a mutant of the reference server that holds each delivery for a known time and records how long it did. "Held"
is what it recorded under loadgen's even load: what people in the room would have waited. A tool that waits for the answer
before it sends again sees other delays, because it sends less while the target stalls.
"""
import argparse
import base64
import json
import os
import re
import struct
import subprocess
import sys
import urllib.request
import zlib

import peers
from runs import ROOT, server

MUTANTS = (("each delivery 100 ms late", ["delay=100ms"]),
           ("100 to 500 ms, by member", ["member-delay=100ms"]),
           ("20 ms, and a stall of 1 s in every 5 s", ["delay=20ms", "stall=1s/5s"]))
QUANTILES = (0.5, 0.9, 0.99)


def quantiles(encoded):
    """In ms, of an HdrHistogram (V2, compressed, base64)."""
    inner = zlib.decompress(base64.b64decode(encoded)[8:])
    _, length, _, digits, lowest = struct.unpack(">IIIIQ", inner[:24])
    unit, half = lowest.bit_length() - 1, 1 << ((2 * 10**digits - 1).bit_length() - 1)
    counts, at, index = [], 40, 0
    while at < 40 + length:
        value = shift = 0
        while True:
            octet = inner[at]
            at += 1
            value |= (octet if shift == 56 else octet & 0x7F) << shift
            shift += 7
            if not octet & 0x80 or shift > 56:
                break
        value = value >> 1 ^ -(value & 1)
        if value < 0:
            index -= value  # so many empty ones
            continue
        bucket = max(index // half - 1, 0)
        low = (index if index < half else index % half + half) << bucket + unit
        counts.append((low + (1 << bucket + unit) / 2, value))
        index += 1
    out, total = [], sum(n for _, n in counts)
    for q in QUANTILES:
        rank, seen = q * total, 0
        for value, n in counts:
            seen += n
            if n and seen >= rank:
                out.append(value / 1e6)
                break
    return out


class Accuracy:
    def __init__(self, options):
        self.bin = os.path.join(options.build, "bin")
        self.seconds = 10 if options.quick else 20
        self.modules = peers.install(options.build)
        self.peer_script = os.path.join(peers.SOURCE, "loadtest.cjs")

    def target(self, mutants):
        words = [os.path.join(self.bin, "reference_server"), "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--log-level", "error"]
        return server(words + [word for mutant in mutants for word in ("--mutant", mutant)], core=None)

    def ours(self, mutants):
        """(held, corrected, uncorrected) of a run that loadgen itself believes; three tries."""
        for _ in range(3):
            with self.target(mutants) as (port, _, text):
                done = subprocess.run([os.path.join(self.bin, "loadgen"), "run", "--target", f"ws://127.0.0.1:{port}", "--clients", "5",
                                       "--rooms", "1", "--senders", "5", "--rate", "50", "--warmup", "0s", "--drain", "5s", "--duration",
                                       f"{self.seconds}s", "--json", "-"], capture_output=True, text=True, timeout=120)
                if done.returncode == 4:
                    continue
                if done.returncode != 0:
                    sys.exit("ci/bench --accuracy: " + done.stderr[-400:])
                latency = json.loads(done.stdout)["latency"]["fan_out"]
                control = re.search(r"control on (http://\S+)", text).group(1)
                held = json.load(urllib.request.urlopen(control + "/stats"))["mutant"]["held"]
                return [quantiles(held)] + [quantiles(latency[kind]["histogram"]) for kind in ("corrected", "uncorrected")]
        sys.exit("ci/bench --accuracy: could not test: three runs, and each time this machine was too busy")

    def loadtest(self, mutants, clients):
        with self.target(mutants) as (port, _, _):
            done = subprocess.run(["node", self.peer_script, self.modules, f"ws://127.0.0.1:{port}/ws/chat/room/", str(clients),
                                   str(self.seconds)], capture_output=True, text=True, timeout=120)
            if done.returncode != 0:
                sys.exit("ci/bench --accuracy: " + done.stderr[-400:])
            return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(prog="ci/bench --accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help="the build folder")
    parser.add_argument("--quick", action="store_true", help="10 s for each run, not 20")
    accuracy = Accuracy(parser.parse_args())
    print("| the target's deliveries | what | p50 | p90 | p99 |\n|---|---|---|---|---|")
    for title, mutants in MUTANTS:
        held, corrected, uncorrected = accuracy.ours(mutants)
        rows = [("held by the target", held), ("loadgen", corrected), ("loadgen, uncorrected", uncorrected)]
        for clients in (1, 5):
            peer = accuracy.loadtest(mutants, clients)
            rows.append((f"loadtest, {clients} client{'s' if clients > 1 else ''}, {peer['requests']} messages",
                         [peer["p50"], peer["p90"], peer["p99"]]))
        for what, figures in rows:
            print(f"| {title} | {what} | " + " | ".join(f"{figure:,.0f} ms" for figure in figures) + " |", flush=True)
            title = ""


if __name__ == "__main__":
    main()
