#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a snapshot costs, and what the program notices of it, beside the profiles that the program can make of itself.

    snapshot.py [--quick] [--rounds N] [--go VERSION] [--goroutines N]...

For each number of goroutines and in each round, one after the other, for every way to look at them: somebody looks while the
program rests, which tells how long that takes; then the program works as fast as it can for some seconds, and as long again (or
as long as it takes) while somebody looks, which tells what it notices. Ratios are taken within such a pair; shown are medians
over the rounds and, in brackets, the least and the most. "nobody looks" is that against itself: what it says is the noise of
this machine.

Virtual machines give free memory back to their hosts (free page reporting), and taking it again may cost more than what is
measured here. So before each look as much as any of them needs is touched and freed; what that took is printed. Which free
memory the next process gets, and whether the host has it back by then, is chance: goleakd's walk of a program at rest touches
and frees it once more, right before it begins.
"""

import argparse
import functools
import json
import mmap
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
import harness  # noqa: E402
from daemon import Daemon  # noqa: E402
from show import progress, spread  # noqa: E402

WALK = pathlib.Path(os.environ.get("SNAPSHOT_WALK", ROOT / "build/tests/bench/snapshot-walk"))
WINDOW = 3  # seconds
WARM, PAUSE_MS = 4, 500  # in a window: one cold walk, then warm ones with pauses
PATIENCE = 60  # seconds for a profile
TOUCHED = 512 << 20  # bytes
BUSY = ", the program busy"
BARS = {"cold": 500, "warm": 150, "bytes": 120}  # milliseconds at 1,000,000; bytes per goroutine


@dataclass
class Look:
    """One way to look at the goroutines; what it took in each round."""

    name: str
    once: bool = False  # takes too long to be repeated
    times: dict = field(default_factory=dict)  # of what: milliseconds, per round
    pairs: list = field(default_factory=list)  # (bare, with it) of Window, per round
    gave_up: bool = False

    def take(self, target, busy):
        pass

    def note(self, what, ms, busy):
        self.times.setdefault(what + BUSY if busy else what, []).append(ms)


class Nobody(Look):
    pass


@dataclass
class Walk(Look):
    options: tuple = ()
    costs: list = field(default_factory=list)  # what snapshot-walk printed, per round

    def take(self, target, busy):
        options = self.options if busy else (*self.options, "touch")
        result = subprocess.run([WALK, str(target.pid), str(WARM), str(PAUSE_MS), *options], capture_output=True, text=True,
                                check=True)
        cost = json.loads(result.stdout)
        if not busy:
            self.costs.append(cost)
        self.note("cold", cost["walks"][0]["ms"], busy)
        self.note("warm", statistics.median(walk["ms"] for walk in cost["walks"][1:]), busy)


@dataclass
class Profile(Look):
    arguments: str = ""
    sizes: list = field(default_factory=list)

    def take(self, target, busy):
        words = target.command(f"profile {self.arguments}", PATIENCE).split()
        self.note("once", float(words[1]), busy)
        self.sizes.append(int(words[3]))


@dataclass
class Window:
    late_ms: float
    ops_per_s: float


def watch(target, look):
    """The program's own report of some seconds in which `look` happens."""
    target.command("watch")
    begin = time.monotonic()
    look(target)
    time.sleep(max(0.0, begin + WINDOW - time.monotonic()))
    words = target.command("report").split()
    report = dict(zip(words[::2], map(float, words[1::2])))
    return Window(report["late_us"] / 1000, report["ops"] / report["seconds"])


def looks_at(goroutines):
    return [
        Nobody("nobody looks"),
        Walk("goleakd, with stacks"),
        Walk("goleakd, without stacks", options=("no-stacks",)),
        Profile("own profile, debug=0", arguments="goroutine 0"),
        Profile("own goroutineleak", arguments="goroutineleak 0"),
        # The last one: it is not waited for when it takes too long, and nothing can be measured after that.
        Profile("own profile, debug=2", arguments="goroutine 2", once=goroutines > 200_000),
    ]


def touch_memory():
    """Milliseconds."""
    begin = time.monotonic()
    with mmap.mmap(-1, TOUCHED) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for page in range(0, TOUCHED, mmap.PAGESIZE):
            memory[page] = 1
    return (time.monotonic() - begin) * 1000


def measure(exe, goroutines, rounds, touches):
    looks = looks_at(goroutines)
    with harness.Target(exe, 0) as target:
        target.command(f"park {goroutines}", 600)
        for number in range(rounds):
            for look in looks:
                if look.once and number + 1 < rounds:
                    continue
                progress(f"{goroutines:,} goroutines: round {number + 1} of {rounds}, {look.name}")
                touches.append((touch_memory(), touch_memory()))
                try:
                    look.take(target, busy=False)
                    bare = watch(target, lambda _: None)
                    look.pairs.append((bare, watch(target, functools.partial(look.take, busy=True))))
                except TimeoutError:
                    look.gave_up = True
    progress("")
    return looks


# --- The daemon's memory ---------------------------------------------------------------------------------------------


def status_bytes(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith(name + ":"))) * 1024


def settled(daemon, pid, goroutines, snapshots=5):
    """Waits for that many snapshots that show at least that many goroutines. Returns the daemon's resident bytes, the median
    of what it was meanwhile."""
    seen, samples = set(), []

    def look():
        target = daemon.target(pid)
        if target and target["counts"] and target["counts"]["goroutines"] >= goroutines:
            seen.add(target["snapshot_at"])
            samples.append(status_bytes(daemon.pid, "VmRSS"))
        return len(seen) > snapshots

    harness.wait_for(look, 600, f"{snapshots} snapshots of {goroutines} goroutines")
    return statistics.median(samples[len(samples) // 2:])


def daemon_memory(exe, goroutines):
    """(steady, peak) of the daemon that watches by snapshots, in bytes per goroutine. Its ceiling on CPU time is lifted: it would
    take minutes from one snapshot to the next."""
    few = 1000
    with harness.temp_dir() as folder, harness.Target(exe, few) as target:
        with Daemon(folder, [exe], mode="snapshots", snapshots={"interval": "1s", "max_cpu": 1}) as daemon:
            before = settled(daemon, target.pid, few)
            pathlib.Path(f"/proc/{daemon.pid}/clear_refs").write_text("5", encoding="ascii")  # a new peak
            target.command(f"park {goroutines}", 600)
            after = settled(daemon, target.pid, goroutines)
            more = goroutines - few
            return (after - before) / more, (status_bytes(daemon.pid, "VmHWM") - before) / more


# --- The tables ------------------------------------------------------------------------------------------------------


def table(title, first, columns, rows):
    print(f"\n{title}\n")
    print(f"| {first} | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for name, cells in rows:
        print(f"| {name} | " + " | ".join(cells) + " |")


def time_rows(results):
    def cell(look, what):
        if look.gave_up:
            return f"> {PATIENCE:,} s, given up"
        times = look.times[what]
        cut = ", cut off by Go at 64 MiB" if isinstance(look, Profile) and look.sizes[-1] == 64 << 20 else ""
        return (spread(times, ",.1f") if len(times) > 1 else f"{times[0]:,.1f} (once)") + cut

    kinds = {Walk: ["cold", "warm"], Profile: ["once"]}
    for index, look in enumerate(next(iter(results.values()))):
        for what in kinds.get(type(look), []):
            for when in (what, what + BUSY):
                yield (f"{look.name}, {when}", [cell(looks[index], when) for looks in results.values()])


def effect_rows(results):
    def gaps(look):
        if not look.pairs:
            return "–"
        bare, with_it = ([window.late_ms for window in windows] for windows in zip(*look.pairs))
        return f"{statistics.median(bare):,.1f} → {spread(with_it, ',.1f')}"

    def throughput(look):
        return spread([with_it.ops_per_s / bare.ops_per_s for bare, with_it in look.pairs], ".3f") if look.pairs else "–"

    for index, look in enumerate(next(iter(results.values()))):
        yield (look.name, [cell(looks[index]) for looks in results.values() for cell in (gaps, throughput)])


def cost_rows(results):
    def cell(walks):
        return (f"{statistics.median(walk['cpu_ms'] for walk in walks):,.1f} ms, "
                f"{statistics.median(walk['bytes'] for walk in walks) / 1e6:,.1f} MB")

    for index, look in enumerate(next(iter(results.values()))):
        if isinstance(look, Walk):
            of_all = [looks[index].costs for looks in results.values()]
            yield (look.name + ", cold", [cell([cost["walks"][0] for cost in costs]) for costs in of_all])
            yield (look.name + ", warm", [cell([walk for cost in costs for walk in cost["walks"][1:]]) for costs in of_all])


def bar(what, value, limit, unit):
    print(f"- {what}: {value:,.1f} {unit}, bar {limit:,} {unit}: {'met' if value <= limit else 'NOT met'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and short: that it works, not what it costs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--go", default="1.27")
    parser.add_argument("--goroutines", type=int, action="append")
    options = parser.parse_args()
    rounds = 2 if options.quick else options.rounds
    sizes = options.goroutines or ([1_000, 20_000] if options.quick else [1_000, 100_000, 1_000_000])
    exe = harness.build_target("parked", options.go)

    touches = []  # (at first, again), milliseconds
    results = {size: measure(exe, size, rounds, touches) for size in sizes}
    largest = max(sizes)
    progress(f"the daemon's memory with {largest:,} goroutines")
    steady, peak = daemon_memory(exe, largest)
    progress("")

    columns = [f"{size:,} goroutines" for size in sizes]
    print(f"Go {options.go}, goroutines parked 12 calls deep; {rounds} pairs, interleaved; {os.cpu_count()} processors, "
          f"Linux {platform.release()}")
    table("Time to look at all goroutines, milliseconds", "", columns, time_rows(results))
    table(f"What the program notices meanwhile: by how much a timer was late at worst in {WINDOW} s, in milliseconds, without → "
          f"with; and its throughput with over without (goleakd: {WARM + 1} walks in that time)", "",
          [text for size in columns for text in (size + ": gap", "throughput")], effect_rows(results))
    table("What one walk takes: CPU time, and what it reads", "", columns, cost_rows(results))
    first, again = (spread(times, ",.0f") for times in zip(*touches))
    print(f"\nThis machine's memory: touching {TOUCHED >> 20} MB took {first} ms before the looks, and {again} ms at once again.")
    walks = [cost["touch_ms"] for looks in results.values() for look in looks if isinstance(look, Walk) for cost in look.costs]
    print(f"128 MB right before a walk took {spread(walks, ',.0f')} ms.")
    print(f"\nThe daemon that watches {largest:,} goroutines by snapshots: {steady:,.0f} bytes each, at its peak {peak:,.0f}.\n")
    if largest == 1_000_000:
        walk = next(look for look in results[largest] if isinstance(look, Walk))
        for what in ("cold", "warm"):
            bar(f"{what} walk of 1,000,000, with stacks", statistics.median(walk.times[what]), BARS[what], "ms")
        bar("the daemon's memory for each goroutine, steady", steady, BARS["bytes"], "bytes")
        alone, walked = ([statistics.median(pair[i].late_ms for pair in walk.pairs)] for i in (0, 1))
        print(f"- the program's largest gap: {alone[0]:,.1f} ms alone, {walked[0]:,.1f} ms with walks, bar: unchanged")


main()
