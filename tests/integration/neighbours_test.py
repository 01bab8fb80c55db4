#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Others may probe the same program at the same time: a second goleakd, whose probes stand on the very same instructions, and a
bpftrace at the entries of the same functions. Each goleakd stays exact whoever comes and goes beside it, gently or not;
bpftrace goes on counting when goleakd leaves; and the program does what it always does, with nothing left in it.

    neighbours_test.py GO_VERSION
"""

import re
import signal
import sys

import harness
from daemon import Daemon, links_of_probes, need_root
from exact import check, exercise
from unharmed import Code, await_nothing_left, ids

ENTRIES = ("runtime.gopark", "runtime.ready", "runtime.newproc1", "runtime.goexit0")
WORKERS = 100


class Bpftrace(harness.Process):
    """Counts the calls of the runtime's functions in one process, at their entries."""

    def __init__(self, pid, exe):
        probes = " ".join(f'uprobe:{exe}:"{function}" {{ @["{function}"] = count(); }}' for function in ENTRIES)
        script = f'BEGIN {{ printf("attached\\n"); }} {probes} interval:ms:200 {{ print(@); printf("told\\n"); }}'
        super().__init__([harness.tool("bpftrace"), "-p", pid, "-e", script])
        try:
            self.await_output("^attached$")
        except BaseException:
            self.stop()
            raise

    def counts(self):
        """As of a moment after this call."""
        told = self.output().count("told")
        harness.wait_for(lambda: self.output().count("told") >= told + 2, 30, "bpftrace to tell")
        newest = dict.fromkeys(ENTRIES, 0)
        for function, number in re.findall(r"^@\[(\S+)\]: (\d+)$", self.output(), re.MULTILINE):
            newest[function] = int(number)
        return newest

    def finish(self):
        self.signal(signal.SIGINT)
        assert self.wait() == 0, self.output()


class Program:
    """The target, and what it had counted when each of those who watch it came."""

    def __init__(self, counts):
        self._counts = counts
        self._since = {}

    def watched_by(self, daemon):
        """It does nothing meanwhile."""
        daemon.await_exact(self._counts.pid)
        self._since[daemon] = self._counts.counts()

    def left_by(self, daemon):
        del self._since[daemon]

    def check_exact(self):
        exercise(self._counts, workers=WORKERS)
        for daemon, since in self._since.items():
            check(daemon, self._counts, since)
        self._counts.command("release")
        return len(self._since)


def check_traced(bpftrace, program):
    before = bpftrace.counts()
    watchers = program.check_exact()
    after = bpftrace.counts()
    for function in ENTRIES:  # each worker parks, is woken, starts and ends
        assert after[function] - before[function] >= WORKERS, (before, after)
    print(f"{watchers} goleakd and bpftrace: exact; bpftrace "
          + ", ".join(f"{function} {after[function] - before[function]}" for function in ENTRIES), flush=True)


def visit(folder, exe, counts):
    folders = [folder / name for name in ("first", "second", "third")]
    for each in folders:
        each.mkdir()
    code, program, links = Code(counts.pid, exe), Program(counts), set()

    def watch(at):
        return Daemon(at, [exe], mode="events", snapshots={"interval": "300ms"})

    with watch(folders[0]) as first:
        program.watched_by(first)
        program.check_exact()
        alone = code.changed()
        with watch(folders[1]) as second:
            program.watched_by(second)
            assert code.changed() == alone, "the second goleakd has chosen other places: this proves less"
            links = first.links() | second.links()
            assert len(links & ids(links_of_probes())) == 8, "four groups of each should be in place"
            program.check_exact()
            print(f"two goleakd on the same {alone} instructions: exact", flush=True)
            with Bpftrace(counts.pid, exe) as bpftrace:
                assert code.changed() == alone + len(ENTRIES), "bpftrace's probes are not in place"
                check_traced(bpftrace, program)
                second.signal(signal.SIGKILL)  # the others stay
                second.wait()
                program.left_by(second)
                check_traced(bpftrace, program)
                with watch(folders[2]) as third:  # comes while bpftrace is there, stays when it has gone
                    program.watched_by(third)
                    check_traced(bpftrace, program)
                    assert first.stop() == 0
                    program.left_by(first)
                    check_traced(bpftrace, program)
                    bpftrace.finish()
                    harness.wait_for(lambda: code.changed() == alone, 30, "bpftrace's probes to be gone")
                    program.check_exact()
                    links |= third.links()
                    assert third.stop() == 0
    await_nothing_left([code], links)


def main():
    need_root()
    exe = harness.build_target("counts", sys.argv[1])  # with symbols: bpftrace needs them
    harness.tool("bpftrace")
    with harness.temp_dir() as folder, harness.Target(exe) as counts:
        visit(folder, exe, counts)
        exercise(counts)
        counts.command("release")
        assert counts.quit() == 0
    print("nothing is left")


main()
