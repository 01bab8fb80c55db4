# SPDX-License-Identifier: Apache-2.0
"""What may watch a workload while it is measured. Each is a context manager over a running load; what it yields tells how often
its probes have been hit, as a line that is to be compared with a later one, and what else there is to say."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time
from dataclasses import dataclass

import workloads  # first: it makes the modules of tests/integration known
import harness
import watching

PRINT_BINARY = pathlib.Path(os.environ.get("PRINT_BINARY", harness.REPOSITORY / "build/tests/integration/print_binary"))
BARE_TRAPS = pathlib.Path(os.environ.get("BARE_TRAPS", harness.REPOSITORY / "build/tests/bench/bare-traps"))
# The functions that goleakd probes, but for two more that wake (injectglist, findRunnable). Before Go 1.22 there is no gdestroy.
ENTRIES = ["runtime.newproc1", "runtime.gdestroy", "runtime.gopark", "runtime.ready"]
BEFORE_GDESTROY = "runtime.goexit0"


class Refused(Exception):
    """It cannot watch this program, and why."""


@dataclass
class Hits:
    """Of all probes of a variant, a second."""

    rate: float = 0
    price: watching.Price = None  # where the variant knows
    say: str = ""


class Nobody:
    def look(self):
        return None

    def hits(self, before, after):
        return Hits()


@dataclass
class Control:
    name: str = "control (bare again)"

    @contextlib.contextmanager
    def watch(self, load):
        yield Nobody()


@dataclass
class Goleakd:
    name: str
    mode: str

    @contextlib.contextmanager
    def watch(self, load):
        with harness.temp_dir() as folder, watching.Watching(load, folder, self.mode) as goleakd:
            yield _Goleakd(goleakd)


class _Goleakd:
    def __init__(self, goleakd):
        self._goleakd = goleakd
        self._price = goleakd.price()

    def look(self):
        return self._goleakd.next_look()

    def hits(self, before, after):
        say = (f"{', '.join(after.attached) or 'nothing'} probed, at {watching.percent(after.measured)} of its CPU time as the "
               f"governor counts; predicted for all {watching.percent(after.predicted)}")
        if after.reason:
            say += "; " + after.reason
        return Hits(after.hits_since(before), self._price, say)


@dataclass
class BareTraps:
    """The kernel's traps at goleakd's places, and next to nothing in them: what probes cost there at the least."""

    name: str = "bare traps at the same places"

    @contextlib.contextmanager
    def watch(self, load):
        with workloads.Printer([BARE_TRAPS, load.pid]) as traps:
            counted = _BareTraps(traps)
            try:
                counted.look()
            except EOFError:
                raise Refused(" ".join(traps.output().split())) from None
            yield counted


class _BareTraps:
    def __init__(self, traps):
        self._traps = traps

    def look(self):
        """(time, hits of all)"""
        hits = self._traps.lines.next()["hits"]
        return time.monotonic(), hits

    def hits(self, before, after):
        return Hits((after[1] - before[1]) / (after[0] - before[0]))


@dataclass
class Bpftrace:
    """Counts at the functions' entries, as other tracers attach."""

    name: str = "bpftrace at the entries, counting"

    @contextlib.contextmanager
    def watch(self, load):
        program = " ".join([*_probes(load), "interval:ms:200 { print(@hits); }"])
        command = [harness.tool("bpftrace"), "--unsafe", "-B", "line", "-f", "json", "-p", load.pid, "-e", program]
        with workloads.Printer(command) as tracer:
            watching_it = _Bpftrace(tracer)
            try:
                harness.wait_for(lambda: watching_it.look()[1], 30, "hits of bpftrace's probes")
            except EOFError:
                raise Refused(" ".join(tracer.output().split())) from None
            yield watching_it
            tracer.signal(signal.SIGINT)
            tracer.wait(60)


def _probes(load):
    """A program without symbols is probed by offset in the file: bpftrace takes that only as unsafe, for it can't check what it
    finds no symbol for."""
    found = subprocess.run([PRINT_BINARY, load.exe, *ENTRIES, BEFORE_GDESTROY], check=True, capture_output=True, text=True)
    offsets = json.loads(found.stdout)["entries"]
    if "runtime.gdestroy" in offsets:
        del offsets[BEFORE_GDESTROY]
    for number, (function, offset) in enumerate(offsets.items()):
        yield f'uprobe:"{load.exe}":{offset if load.stripped else json.dumps(function)} {{ @hits[{number}] = count(); }}'


class _Bpftrace:
    def __init__(self, tracer):
        self._tracer = tracer

    def look(self):
        """(time, hits of all)"""
        while True:
            line = self._tracer.lines.next()
            if line["type"] == "map":
                return time.monotonic(), sum(line["data"].get("@hits", {}).values())

    def hits(self, before, after):
        return Hits((after[1] - before[1]) / (after[0] - before[0]))


BARE = BareTraps()
ALL = [Control(), Goleakd("goleakd, default", "auto"), BARE, Goleakd("goleakd, events at any cost", "events"), Bpftrace()]
