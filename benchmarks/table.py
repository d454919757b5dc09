"""The performance table of docs/PERFORMANCE.md: ours against its baselines, in one run.

Every row is a ratio of two things measured on this machine in this run: each repetition measures all variants one after
the other (interleaved), the ratio is taken within the repetition, and the table shows the median of the ratios with
their least and greatest. Absolute figures stand beside it for orientation only.
"""
import argparse
import functools
import itertools
import json
import math
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from datetime import datetime, timezone

import peers
from runs import ROOT, Bench


def progress(text):
    end = "\r" if sys.stderr.isatty() else "\n"
    print(("\033[K" if sys.stderr.isatty() else "") + text, end=end, file=sys.stderr, flush=True)


def server_ns(figures):
    return figures["server_cpu_per_delivery_ns"]


def rows(bench):
    """(what, must, aim, unit, measure() -> (ours, baseline)); lower is better but where `must` begins with >=; without a must it
    only informs."""
    most = 10_000
    out = []
    for members in (1_000, most):
        out.append((f"server, CPU per delivery, {members:,} members, against the bare epoll floor", "<= 1.15", "<= 1.0", "us",
                    lambda n=members: tuple(x / 1e3 for x in bench.server_and_floor(n))))
        out.append((f"server, 8 messages due per member, {members:,} members, against the batched floor", "<= 1.2", "<= 1.0", "us",
                    lambda n=members: tuple(x / 1e3 for x in bench.server_and_floor(n, 8))))
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
    loads = ((1_000, 50), (most, 7))
    for members, rate in loads if bench.quick else (*loads, (most, 4)):
        out.append((f"loadgen, CPU per delivery with full accounting, {members:,} members at {rate}/s, against the bare epoll client",
                    "<= 1.3", "<= 1.1", "us", lambda n=members, r=rate: tuple(x if x is None else x / 1e3 for x in
                                                                               (bench.loadgen(n, r), bench.floor_at_rate(n, r)))))
    for members, rate in loads if bench.modules else ():
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
        all_files = open_files() - 200
        out.append(("cost against members (100 to the limit of open files): fitted exponent", "<= 1.05", "<= 1.0", "",
                    lambda: (exponent(bench.reference, all_files), 1.0)))
        out.append(("the same exponent, ours against the bare epoll floor's: what the kernel does not explain", None, "<= 1.0", "",
                    lambda: (exponent(bench.reference, all_files), exponent(bench.floor, all_files))))
        out.append((f"the same exponent up to {most:,} members, who hear again within 200 ms", None, "<= 1.05", "",
                    lambda: (exponent(bench.reference), 1.0)))
    for jobs, aim in ((1, "<= 10"), (8, "<= 4")):
        out.append((f"the conformance suite on the reference server, --jobs {jobs}", None, aim, "s", lambda n=jobs: (bench.suite(n), 1.0)))
    if not bench.quick:
        out.append(("compile time of the whole project on two cores", "<= 6", "<= 3", "min", lambda: (bench.full_build(), 1.0)))
    return out


def open_files():
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20_000)


def holds(limit, value):
    if limit in (None, "-"):
        return True
    sign, number = limit.split()
    return value <= float(number) if sign == "<=" else value >= float(number)


def measure(bench, only):
    table = []
    chosen = [row for row in rows(bench) if not only or re.search(only, row[0])]
    once = re.compile("10,000|Django|suite" if bench.quick else "compile time")  # each takes long
    samples = {row[0]: [] for row in chosen}
    why = {}  # there is no number
    started = time.monotonic()
    for repetition in range(bench.repetitions):
        for index, (what, _, _, _, run) in enumerate(chosen):
            if repetition > 0 and once.search(what):
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
    parser.add_argument("--quick", action="store_true", help="three short repetitions, one of what takes longest, in under 3 minutes; without the "
                        "exponents, the row at 4/s and the compile time")
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
