"""Clients of others. Those of npm are installed into the build folder, as the lock files below benchmarks/peer/ say; Tsung is
Debian's, where it is installed."""
import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer")


class NotMeasured(Exception):
    """Says why there is no number."""


def install(build, peer=""):
    """The folder of the modules."""
    folder = os.path.join(build, "peer", peer)
    os.makedirs(folder, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(os.path.join(SOURCE, peer, name), os.path.join(folder, name))
    subprocess.run(["npm", "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], check=True,
                   stdout=sys.stderr)
    return os.path.join(folder, "node_modules")


def has_tsung():
    if shutil.which("tsung"):
        return True
    print("ci/bench --peers: without a row for Tsung, which is not installed: apt-get install -y --no-install-recommends tsung", file=sys.stderr)
    return False


TSUNG_SCENARIO = """<?xml version="1.0"?>
<!DOCTYPE tsung SYSTEM "/usr/share/tsung/tsung-1.0.dtd">
<tsung loglevel="notice">
  <clients><client host="localhost" use_controller_vm="true" maxusers="65000"/></clients>
  <servers><server host="127.0.0.1" port="{port}" type="tcp"/></servers>
  <load><arrivalphase phase="1" duration="1" unit="hour"><users maxnumber="{members}" arrivalrate="500" unit="second"/></arrivalphase></load>
  <sessions>
    <session name="room" probability="100" type="ts_websocket">
      <request><websocket type="connect" path="{path}"/></request>
      <thinktime value="3600"/>
      <request><websocket type="close"/></request>
    </session>
  </sessions>
</tsung>
"""


@contextlib.contextmanager
def erlang_names(env):
    """Erlang's name server on a port of its own, which ends with the node; without it the node would leave one behind."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = free.getsockname()
    env.update(ERL_EPMD_ADDRESS=place[0], ERL_EPMD_PORT=str(place[1]))
    with subprocess.Popen(["epmd"], env=env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as names:
        try:
            while names.poll() is None:
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(place):
                    break
                time.sleep(0.01)
            yield
        finally:
            names.terminate()


@contextlib.contextmanager
def tsung(port, path, members, preexec):
    """A crowd on Tsung that connects and then thinks: it reads what comes and only counts octets."""
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, HOME=folder, ERL_FLAGS="-kernel inet_dist_use_interface {127,0,0,1}")  # its cookie is known to all
        scenario = os.path.join(folder, "room.xml")
        with open(scenario, "w") as out:
            out.write(TSUNG_SCENARIO.format(port=port, path=path, members=members))
        words = ["tsung", "-n", "-I", "127.0.0.1", "-f", scenario, "-l", folder, "start"]
        with erlang_names(env), Crowd(words, port, members, preexec, env) as crowd:
            yield crowd


def artillery(modules, port, path, members, preexec):
    return Crowd(["node", os.path.join(SOURCE, "artillery_client.cjs"), modules, f"ws://127.0.0.1:{port}{path}", str(members)], port, members,
                 preexec)


class Crowd:
    """A program of others that holds `members` connections to `port` and only receives; watched from outside."""

    def __init__(self, words, port, members, preexec, env=None):
        def prepare():
            most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            preexec()
        self.name, self.port, self.members = words[0], port, members
        self.out = tempfile.TemporaryFile()
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT, preexec_fn=prepare, env=env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.tree():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.out.close()

    def tree(self):
        """Of processes: ours and all below it."""
        pids = [self.process.pid]
        for pid in pids:
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as children:
                        pids += map(int, children.read().split())
        return pids

    def cpu_ns(self):
        """Of the whole tree."""
        try:
            return sum(time.clock_gettime_ns(~pid << 3 | 2) for pid in self.tree())  # the kernel's clock of another process, CPUCLOCK_SCHED
        except OSError as gone:
            raise NotMeasured(f"{self.name}: a process of it ended") from gone

    def at_rest(self):
        """(connected members, whether all that was sent to them has been read), by the kernel's table."""
        connected, unread = 0, 0
        with open("/proc/net/tcp") as table:
            next(table)
            for line in table:
                _, local, remote, state, queues = line.split()[:5]
                ports = [int(address.split(":")[1], 16) for address in (local, remote)]
                if self.port in ports and state == "01":
                    connected += ports[1] == self.port
                    unread += queues != "00000000:00000000"
        return connected, unread == 0

    def settle(self, seconds, looks):
        """Waits until all members are there and have read everything, so many looks in a row."""
        until, calm = time.monotonic() + seconds, 0
        while calm < looks:
            connected, read = self.at_rest()
            calm = calm + 1 if connected == self.members and read else 0
            if self.process.poll() is not None or time.monotonic() > until:
                self.out.seek(0)
                said = " ".join(self.out.read().decode(errors="replace").split())[-200:]  # a cell of the table
                raise NotMeasured(f"{self.name}: {connected:,} of {self.members:,} members connected" + ("" if read else ", deliveries unread") +
                                  (f"; it says: {said}" if said else ""))
            time.sleep(0.05)
