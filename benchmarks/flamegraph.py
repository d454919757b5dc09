"""Profiles the server and loadgen at 1,000 members and draws each as a flame graph: DIR/profile-server.svg, DIR/profile-loadgen.svg.

  ci/bench --profile DIR

perf samples by the CPU's clock (no performance counters needed), 1,999 times a second, and unwinds by DWARF (the release build
keeps no frame pointers). A box is a function; its width is the share of samples in it and in what it calls, which stands above
it. Below 0.3 % it is left out. The reference server runs on one core, loadgen as its crowd on the other.
"""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile
import zlib
from html import escape

from runs import CLIENT_CORE, ROOT, SERVER_CORE, on_core, server

WIDTH, ROW, FONT, LEAST, KERNEL = 1200, 17, 11, 0.003, "[k]"


def folded(perf_data):  # samples by stack, outermost first
    text = subprocess.run(["perf", "script", "-i", perf_data, "-F", "comm,ip,sym,dso", "--no-inline"], capture_output=True, text=True,
                          check=True).stdout
    stacks = collections.Counter()
    for sample in text.split("\n\n"):
        frames = []
        for line in sample.splitlines():
            found = re.match(r"\s+[0-9a-f]+ (.*) \((.*)\)$", line)
            if found and found.group(1) != "[unknown]":
                frames.append(short(found.group(1)) + (" " + KERNEL if "kernel" in found.group(2) else ""))
        stacks[tuple(reversed(frames))] += 1
    return {stack: samples for stack, samples in stacks.items() if stack}


def short(name):  # without arguments, template arguments and namespaces
    name, before = name.replace("(anonymous namespace)::", ""), None
    while before != name:
        before, name = name, re.sub(r"<[^<>]*>|\([^()]*\)", "", name)
    name = re.sub(r"\b(roomcheck|boost|std|websocket|asio|detail|reference_server|loadgen|channel_layer|__cxx11)::", "", name)
    return name.replace("+0x", " 0x").split(" 0x")[0].strip() or "?"


class Box:
    def __init__(self):
        self.samples, self.inner = 0, {}

    def add(self, stack, samples):
        self.samples += samples
        if stack:
            self.inner.setdefault(stack[0], Box()).add(stack[1:], samples)

    def depth(self, least):
        return 1 + max((box.depth(least) for box in self.inner.values() if box.samples >= least), default=0)


def colour(name):  # of one function always the same
    shade = zlib.crc32(name.encode()) % 50
    return f"rgb({120 + shade},{170 + shade // 2},235)" if name.endswith(KERNEL) else f"rgb(245,{150 + shade},{60 + shade})"


def draw(root, title):
    least = max(1, root.samples * LEAST)
    height = (root.depth(least) + 2) * ROW
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="{FONT}">',
           f'<rect width="100%" height="100%" fill="white"/><text x="6" y="{ROW - 4}">{escape(title)}: {root.samples:,} samples; '
           "orange is ours, blue is the kernel</text>"]

    def boxes(box, name, x, level):
        width, y = box.samples / root.samples * WIDTH, height - (level + 1) * ROW
        fits = int((width - 4) / (FONT * 0.58))
        text = escape(name if len(name) <= fits else name[:fits - 1] + "…" if fits > 3 else "")
        out.append(f'<g><title>{escape(name)} {box.samples / root.samples:.1%}</title><rect x="{x:.1f}" y="{y}" width="{max(width - 0.4, 0.3):.1f}" height="{ROW - 1}" '
                   f'fill="{colour(name)}"/><text x="{x + 2:.1f}" y="{y + ROW - 5}">{text}</text></g>')
        for inner_name, inner in sorted(box.inner.items()):
            if inner.samples >= least:
                boxes(inner, inner_name, x, level + 1)
            x += inner.samples / root.samples * WIDTH

    boxes(root, "all", 0.0, 0)
    return "\n".join([*out, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(prog="ci/bench --profile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", metavar="DIR", help="where the two pictures go")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    programs = os.path.join(options.build, "bin")
    command = [os.path.join(programs, "reference_server"), "--listen", "127.0.0.1:0", "--control", "off", "--threads", "1", "--log-level", "error"]
    with server(command, SERVER_CORE) as (port, pid, _), tempfile.TemporaryDirectory() as directory:
        load = subprocess.Popen([os.path.join(programs, "loadgen"), "run", "--target", f"ws://127.0.0.1:{port}", "--clients", "1000", "--rooms", "1", "--senders",
                                 "1", "--rate", "60", "--warmup", "12s", "--duration", "1s"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True, preexec_fn=on_core(CLIENT_CORE))
        for line in load.stderr:  # one a second: everybody is connected
            if "warm-up" in line:
                break
        recorders = {name: subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "--call-graph", "dwarf,24576", "-p", str(of), "-o",
                                             os.path.join(directory, name), "--", "sleep", "8"],
                                            stderr=subprocess.PIPE, text=True)
                     for name, of in (("server", pid), ("loadgen", load.pid))}
        for name, recorder in recorders.items():
            said = recorder.communicate()[1]
            if recorder.returncode != 0:
                sys.exit(f"ci/bench --profile: perf record: {said.strip()} (does /proc/sys/kernel/perf_event_paranoid allow it?)")
        load.communicate()
        os.makedirs(options.directory, exist_ok=True)
        for name in recorders:
            root = Box()
            for stack, samples in folded(os.path.join(directory, name)).items():
                root.add(stack, samples)
            with open(os.path.join(options.directory, f"profile-{name}.svg"), "w") as out:
                out.write(draw(root, f"{name}, 1,000 members, 60 messages/s"))


if __name__ == "__main__":
    main()
