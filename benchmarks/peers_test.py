"""How ci/bench --peers watches a client of others from outside."""
import contextlib
import socket
import sys
import time
import unittest

import peers
import table

MEMBERS = """
import signal, socket, sys
crowd = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(3)]
"""
THAT_READ = MEMBERS + """
while True: [member.recv(100) for member in crowd]
"""
THAT_DO_NOT = MEMBERS + """
signal.pause()
"""
CHILD_THAT_WORKS = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "while True: pass"])
"""


class Room:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def accept(self):
        return [self.listener.accept()[0] for _ in range(3)]

    def crowd(self, program):
        return peers.Crowd([sys.executable, "-c", program, str(self.port)], self.port, 3, lambda: None)


class Crowd(unittest.TestCase):
    def setUp(self):
        self.room = Room()
        self.addCleanup(self.room.listener.close)

    def test_is_settled_when_its_members_have_read_everything(self):
        with self.room.crowd(THAT_READ) as crowd, contextlib.ExitStack() as members:
            for member in self.room.accept():
                members.enter_context(member).sendall(b"x" * 1000)
            crowd.settle(60, looks=4)

    def test_that_does_not_read_is_no_number(self):
        with self.room.crowd(THAT_DO_NOT) as crowd, contextlib.ExitStack() as members:
            for member in self.room.accept():
                members.enter_context(member).sendall(b"x")
            with self.assertRaisesRegex(peers.NotMeasured, "3 of 3 members connected, deliveries unread"):
                crowd.settle(0.2, looks=1)

    def test_that_ends_says_why_there_is_no_number(self):
        with self.room.crowd("raise SystemExit('no such\\n  room')") as crowd:
            with self.assertRaisesRegex(peers.NotMeasured, "0 of 3 members connected; it says: no such room"):
                crowd.settle(60, looks=1)

    def test_costs_what_its_children_cost_and_takes_them_with_it(self):
        with self.room.crowd(CHILD_THAT_WORKS) as crowd:
            wait_until(lambda: len(crowd.tree()) == 2)
            wait_until(lambda: crowd.cpu_ns() - time.clock_gettime_ns(~crowd.process.pid << 3 | 2) > 100_000_000)
            _, child = crowd.tree()
        wait_until(lambda: not is_running(child))


class Table(unittest.TestCase):
    def test_says_why_a_row_could_not_be_measured(self):
        row = {"what": "peer: Tsung", "must": None, "aim": "-", "met": None, "why": "tsung: 0 of 3 members connected; it says: a | b"}
        self.assertEqual(table.cells(row)[-1], "could not be measured: tsung: 0 of 3 members connected; it says: a | b")
        self.assertIn("it says: a \\| b |\n", table.as_markdown([row]))


def wait_until(holds):
    until = time.monotonic() + 60
    while not holds():
        if time.monotonic() > until:
            raise AssertionError("waited for 60 s in vain")
        time.sleep(0.01)


def is_running(pid):
    with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    return False


if __name__ == "__main__":
    unittest.main()
