#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that do not hold still, or hold all too still, harm nobody: some are stopped or frozen before and while probes go in
and come off, some become another program, fork or end between goleakd's decision to probe them and the probes. Another
program is watched exactly all the while; those that go on do so with right results, counted exactly; no probe is left
in any.

    frozen_test.py GO_VERSION stopped|frozen|restless [--seed N]

stopped: by SIGSTOP. frozen: by the freezer of a control group. restless: the others.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import random
import re
import signal
import threading
import time

import harness
from daemon import Daemon, need_root
from exact import SITE, check, exercise
from unharmed import Background, Code, Work, await_nothing_left

CGROUPS = pathlib.Path("/sys/fs/cgroup")


# --- Holding a program still -----------------------------------------------------------------------------------------


def threads_in(pid, states):
    """Whether all its threads are in one of these states (proc(5))."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if (task / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] not in states:
                return False
    return True


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        harness.wait_for(lambda: threads_in(pid, "T"), 10, "all threads to be stopped")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Freezer:
    """A control group of its own, of version 2 or 1: `with freezer.frozen(pid)`."""

    FORMS = (("unified", "cgroup.freeze", "1", "0", "cgroup.events", "frozen 1"),
             (".", "cgroup.freeze", "1", "0", "cgroup.events", "frozen 1"),
             ("freezer", "freezer.state", "FROZEN", "THAWED", "freezer.state", "FROZEN"))

    def __init__(self, group, form):
        self._group = group
        _, self._control, self._freeze, self._thaw, self._events, self._done = form

    @classmethod
    @contextlib.contextmanager
    def make(cls):
        """Gives a freezer, or why the host has none."""
        reasons = []
        for form in cls.FORMS:
            group = CGROUPS / form[0] / f"goleakd-test-{os.getpid()}"
            try:
                group.mkdir()
            except OSError as error:
                reasons.append(str(error))
                continue
            try:
                if (group / form[1]).exists():
                    yield cls(group, form), ""
                    return
                reasons.append(f"no {group / form[1]}")
            finally:
                with contextlib.suppress(OSError):  # a process is still in it
                    group.rmdir()
        yield None, "; ".join(reasons)

    @contextlib.contextmanager
    def frozen(self, pid):
        (self._group / "cgroup.procs").write_text(str(pid), encoding="ascii")
        try:
            (self._group / self._control).write_text(self._freeze, encoding="ascii")
            harness.wait_for(lambda: self._done in (self._group / self._events).read_text(encoding="ascii"), 10,
                             "the group to be frozen")
            yield
        finally:
            (self._group / self._control).write_text(self._thaw, encoding="ascii")
            (self._group.parent / "cgroup.procs").write_text(str(pid), encoding="ascii")


# --- Others ----------------------------------------------------------------------------------------------------------


class Pulse(Background):
    """How long the daemon's reports were apart at most. It makes one each second, if nothing holds it up."""

    def __init__(self, daemon):
        super().__init__()
        self._daemon = daemon
        self.longest = 0

    def run(self):
        last = None
        with contextlib.suppress(OSError, RuntimeError):  # it may have been killed
            while not self.enough.wait(0.05):
                at = self._daemon.api("targets")["at"]
                self.longest = max(self.longest, at - (last or at))
                last = at


class Steady:
    """A program that does what it always does, and must be watched exactly whatever becomes of others."""

    def __init__(self, counts):
        self._counts = counts
        self.pid = counts.pid
        self._since = None

    def watched_by(self, daemon):
        daemon.await_exact(self.pid)
        self._since = self._counts.counts()

    def check(self, daemon):
        exercise(self._counts)
        daemon.await_snapshots(self.pid, 1)
        check(daemon, self._counts, self._since)
        self._counts.command("release")


def watch(folder, *executables):
    return Daemon(folder, executables, mode="events", snapshots={"interval": "300ms"})


def await_probes(daemon, pid, code):
    harness.wait_for(lambda: all(probe["attached"] for probe in (daemon.target(pid) or {}).get("probes", [])), 30,
                     f"the probes of process {pid}")
    assert code.changed() > 0, "no probe is in place: this proves nothing"


# --- Still ones ------------------------------------------------------------------------------------------------------


def still_at_rest(folder, exe, steady, hold, name):
    """Probes go in, come off, go in again while nothing moves; then it moves, and everything is exact."""
    with harness.Target(exe) as counts, contextlib.ExitStack() as held:
        counts.command("spawn 20")
        since, code = counts.counts(), Code(counts.pid, exe)
        held.enter_context(hold(counts.pid))
        with watch(folder, exe) as daemon, Pulse(daemon) as pulse:
            steady.watched_by(daemon)
            await_probes(daemon, counts.pid, code)
            daemon.await_exact(counts.pid)
            daemon.expect(counts.pid, SITE, live=20, spawned=0, exited=0)
            steady.check(daemon)
            links = daemon.links()
            assert daemon.stop() == 0
        await_nothing_left([code], links)
        with watch(folder, exe) as daemon, Pulse(daemon) as again:
            steady.watched_by(daemon)
            await_probes(daemon, counts.pid, code)
            daemon.await_exact(counts.pid)
            held.close()
            exercise(counts)
            check(daemon, counts, since)
            steady.check(daemon)
            links = daemon.links()
            assert daemon.stop() == 0
        await_nothing_left([code], links)
        counts.command("release")
        assert counts.quit() == 0
    print(f"{name} at rest: probes went in and came off; reports at most {max(pulse.longest, again.longest):.1f} s apart",
          flush=True)


def still_at_work(folder, exe, steady_exe, steady, hold, name, chance):
    """It is held at any moment of its work, and of the attach; the daemon ends meanwhile, gently or not."""
    with harness.Target(exe) as features:
        code = Code(features.pid, exe)
        held_with_probes = 0
        with Work(features) as work:
            work.await_round()
            for end in (signal.SIGTERM, signal.SIGKILL):
                with watch(folder, exe, steady_exe) as daemon:
                    time.sleep(chance.uniform(0, 0.4))
                    with hold(features.pid):
                        steady.watched_by(daemon)
                        await_probes(daemon, features.pid, code)
                        steady.check(daemon)
                        held_with_probes += 1
                    with hold(features.pid):
                        links = daemon.links()
                        daemon.signal(end)
                        assert daemon.wait() == (0 if end == signal.SIGTERM else -end), daemon.output()
                        await_nothing_left([code], links)
                work.check()
            work.await_round()
        work.check()
        assert features.quit() == 0
    print(f"{name} at work: {held_with_probes} daemons came and went, {work.rounds} rounds came out right", flush=True)


# --- Restless ones ---------------------------------------------------------------------------------------------------


def own_children(pid):
    return [int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text(encoding="ascii").split()]


def work_until(enough, counts):
    while not enough.is_set():
        exercise(counts, workers=10, churned=200, pingpongs=200)
        counts.command("release")


def never_probed(log):
    """How many times a process was found and had ended, or become another, before its probes were in place."""
    found, missed = set(), 0
    for line in log.splitlines():
        told = re.search(r"\(pid (\d+)[,)].*?: (found|ended|spawn and exit are probed)", line)
        if not told:
            continue
        pid, what = told.groups()
        if what == "found":
            found.add(pid)
        else:
            missed += what == "ended" and pid in found
            found.discard(pid)
    return missed


def processes_of(exe, argument):
    """How many run it with that argument."""
    count = 0
    for path in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if path.name.isdigit() and os.readlink(path / "exe") == str(exe):
                count += str(argument).encode() in (path / "cmdline").read_bytes().split(b"\0")
    return count


def restless(folder, short, other, exe, steady, chance):
    """All begin while goleakd is held still, so that it finds all at once, and puts probes into one after the other. In the
    midst of that it is held again, and they all change: those that it has probed, and those that it is about to. `other` is
    `exe` of another Go version: at the places where the one is to be probed the other has something else."""
    copies_end, copies_go_on = os.pipe()
    change = folder / "change"

    def moment():
        return f"{chance.uniform(0, 0.4):.3f}s"

    with watch(folder, short, other, exe) as daemon, contextlib.ExitStack() as stack, \
         concurrent.futures.ThreadPoolExecutor(max_workers=8) as threads:
        stack.callback(os.close, copies_end)
        go_on = stack.enter_context(os.fdopen(copies_go_on, "wb"))
        stack.callback(change.touch)  # or they wait for ever
        steady.watched_by(daemon)
        with stopped(daemon.pid):
            ending = [stack.enter_context(harness.Process([short, "-until", change])) for _ in range(20)]
            forking = [stack.enter_context(harness.Process([short, "-until", change, "-fork"], stdin=copies_end))
                       for _ in range(4)]
            steps = [["-until", change, "-exec", other]] * 4
            steps += [["-until", change, "-exec", short, "--", "-for", moment(), "-exec", other] for _ in range(4)]
            begun = [threads.submit(harness.Target, short, *words) for words in steps]
            number = len(ending) + len(forking) + len(begun)
            harness.wait_for(lambda: processes_of(short, change) == number, 30, f"{number} processes")
        daemon.await_output(r"\(pid \d+\): found .*/short,")
        with stopped(daemon.pid):
            change.touch()
            becoming = [stack.enter_context(future.result()) for future in begun]
            for process in ending:
                assert process.wait() == 0, process.output()
            harness.wait_for(lambda: all(own_children(process.pid) for process in forking), 30, "the copies")
            watched = threading.Event()
            stack.callback(watched.set)
            at_work = [threads.submit(work_until, watched, counts) for counts in becoming]
        for counts in becoming:
            assert harness.exe_of(counts.pid) == str(other)
            daemon.await_exact(counts.pid)
        watched.set()
        for future in at_work:
            future.result()
        steady.check(daemon)
        # They were at work already when their probes came: only what comes now can be compared.
        since = {counts: counts.counts() for counts in becoming}
        seen = {counts: {site["function"]: site for site in daemon.sites(counts.pid)} for counts in becoming}
        for counts in becoming:
            exercise(counts, workers=20, churned=100, pingpongs=100)
        for counts in becoming:
            check(daemon, counts, since[counts], seen[counts])
            counts.command("release")
        copies = [pid for process in forking for pid in own_children(process.pid)]
        assert len(copies) == len(forking), "no copy lives: this proves less"
        codes = [Code(counts.pid, other) for counts in becoming]
        codes += [Code(pid, short) for pid in [*copies, *(process.pid for process in forking)]]
        probed = sum(code.changed() > 0 for code in codes)
        assert probed >= len(becoming), f"{probed} have probes"
        links = daemon.links()
        assert daemon.stop() == 0
        await_nothing_left(codes, links)
        missed = never_probed(daemon.output())
        # Where a process had become another program, that one's code was not tried.
        for why in re.findall(r"are not probed: probing process \d+: (.*)", daemon.output()):
            assert why in ("No such file or directory", "No such process"), why
        for counts in becoming:
            exercise(counts, workers=20, churned=100, pingpongs=100)
            counts.command("release")
            assert counts.quit() == 0
        go_on.close()
        for process in forking:
            assert process.wait() == 0, process.output()
    print(f"{len(ending)} that ended, {len(forking)} that forked, {len(becoming)} that became another program, {missed} of "
          "them after they were found and before they were probed: exact", flush=True)


def main():
    need_root()
    parser = argparse.ArgumentParser()
    parser.add_argument("version")
    parser.add_argument("what", choices=("stopped", "frozen", "restless"))
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100000)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    chance = random.Random(arguments.seed)
    exe, features, short = (harness.build_target(name, arguments.version, stripped=True)
                            for name in ("counts", "features", "short"))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(harness.temp_dir())
        hold = stopped
        if arguments.what == "frozen":
            freezer, why_not = stack.enter_context(Freezer.make())
            if not freezer:
                harness.skip(f"this host has no freezer: {why_not}")
            hold = freezer.frozen
        counts = stack.enter_context(harness.Target(exe))
        steady = Steady(counts)
        if arguments.what == "restless":
            another = "1.24" if arguments.version != "1.24" else "1.22"
            other = harness.build_target("counts", another, stripped=True)
            restless(folder, short, other, exe, steady, chance)
        else:
            still_at_rest(folder, exe, steady, hold, arguments.what)
            still_at_work(folder, features, exe, steady, hold, arguments.what, chance)
        assert counts.quit() == 0


main()
