# SPDX-License-Identifier: Apache-2.0
"""Go programs under load, and how far they come at what price: parts of tests/targets/bench, and servers of Debian, which
tests/targets/drive keeps busy."""

import contextlib
import json
import pathlib
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("integration", "accuracy")]
import harness  # noqa: E402
import real_programs  # noqa: E402

SUITES = ["bookworm", "trixie", "sid"]


class Lines:
    """What a program prints, a line of JSON now and then, the newest of it. Reads on a thread of its own."""

    def __init__(self, process, stream):
        self._process = process
        self._stream = stream
        self._changed = threading.Condition()
        self._newest = None
        self._number = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._stream:
            if line.strip():
                self._tell(json.loads(line))
        self._tell(None)

    def _tell(self, line):
        with self._changed:
            self._newest = line
            self._number += 1
            self._changed.notify_all()

    def newest(self):
        """Of those that have come; waits for the first."""
        with self._changed:
            return self._await(1)

    def next(self):
        """One that has not come yet."""
        with self._changed:
            return self._await(self._number + 1)

    def _await(self, number, seconds=60):
        if not self._changed.wait_for(lambda: self._number >= number, seconds):
            raise TimeoutError(f"nothing from {self._process.argv[0]} within {seconds} s")
        if self._newest is None:
            raise EOFError(f"{self._process.argv[0]} has ended")
        return self._newest


class Printer(harness.Process):
    """A program that prints such lines."""

    def __init__(self, command):
        super().__init__(command, stdout=subprocess.PIPE)
        self.lines = Lines(self, self._popen.stdout)


@dataclass
class Work:
    """What was done between two of the lines that package progress writes."""

    ops: int
    seconds: float
    cpu_s: float

    @classmethod
    def between(cls, before, after):
        return cls(after["ops"] - before["ops"], after["at"] - before["at"], after["cpu_s"] - before["cpu_s"])

    @property
    def ops_per_s(self):
        return self.ops / self.seconds

    @property
    def cpu_ns_per_op(self):
        return 1e9 * self.cpu_s / max(self.ops, 1)


class Load:
    """A workload that runs."""

    def __init__(self, pid, printer, stripped):
        self.pid, self.lines, self.stripped = pid, printer.lines, stripped
        self.exe = harness.exe_of(pid)

    def work(self, seconds):
        """What is done in the next seconds."""
        before = self.lines.next()
        time.sleep(seconds)
        return Work.between(before, self.lines.next())


@dataclass
class Own:
    """tests/targets/bench: work and who wants it done are one program, so its CPU time is that of both."""

    name: str
    unit: str
    rate: float = 0  # as many as go

    def form(self, go, _suite):
        return go

    def title(self, go):
        return f"{self.name}, Go {go}"

    @contextlib.contextmanager
    def run(self, go):
        with Printer([harness.build_target("bench", go), self.name, "0"]) as bench:
            yield Load(bench.pid, bench, stripped=False)


@dataclass
class Server:
    """A server of Debian, and a client beside it whose CPU time does not count."""

    name: str
    unit: str
    package: str
    protocol: str
    rate: float = 0  # operations a second; 0: as many as go

    def form(self, _go, suite):
        return suite

    def title(self, suite):
        return f"{self.name} of Debian {suite}" + (f", {self.rate:,.0f} {self.unit}/s" if self.rate else "")

    @contextlib.contextmanager
    def run(self, suite):
        """Raises real_programs.NotHere where scripts/setup --real has not been."""
        drive = harness.build_target("drive", harness.go_versions()[-1])
        program = next(program for program in real_programs.programs()
                       if (program.name, program.source) == (self.package, suite))
        with harness.temp_dir() as folder, real_programs.Running(program, folder) as server:
            command = [drive, "-rate", self.rate, self.protocol, server.command.address, server.pid]
            with Printer(command) as client:
                yield Load(server.pid, client, stripped=True)


ALL = [
    Own("pingpong", "round trips"),
    Own("spawn", "goroutines"),
    Own("mutex", "times locked"),
    Own("http", "requests"),
    Server("caddy", "requests", "caddy", "http"),
    Server("nats", "messages", "nats-server", "nats"),
    Server("etcd", "puts", "etcd-server", "etcd"),
]
