#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Go runtime's own counters, read from outside, against what a program has counted itself.

    counters_test.py PRINT_COUNTERS GO_VERSION [stripped] [pie] [cgo]

A line on standard output for each kind of work.
"""

import json
import math
import os
import subprocess
import sys
import time

import builds
import harness
from daemon import need_root

SPAWNED = 50_000
CHURNED = 100_000
TRIPS = 200_000


class Counters:
    def __init__(self, print_counters, pid):
        self._command = [print_counters, str(pid)]
        self._last = self.look()

    def look(self):
        return self._read(subprocess.run(self._command, capture_output=True, text=True, check=True).stdout)

    def look_meanwhile(self, work):
        """Reads as often as it can for a second, during which work() is called until it is over."""
        with subprocess.Popen([*self._command, "1000"], stdout=subprocess.PIPE, text=True) as driver:
            while driver.poll() is None:
                work()
            looks = self._read(driver.stdout.read())
        assert driver.returncode == 0
        return looks

    @staticmethod
    def _read(text):
        looks = json.loads(text)
        assert not looks["errors"], looks
        assert looks["last"]["spawned"] is not None and looks["last"]["scheduled"] is not None, looks
        return looks

    def since(self):
        """What was spawned and scheduled since the last call of this."""
        before, self._last = self._last["last"], self.look()
        return tuple(self._last["last"][name] - before[name] for name in ("spawned", "scheduled"))


def expect(work, counters, own, transitions, least, most):
    """`transitions`: those of goroutines into running that the program knows of."""
    spawned, scheduled = counters.since()
    print(f"  {work:9} own count {own:7}  spawned {spawned:7}  transitions {transitions:7}  scheduled {scheduled:7}"
          f"  ({scheduled / transitions:.3f})", flush=True)
    assert spawned == own, f"{work}: {spawned} spawned, the program says {own}"
    assert least <= scheduled <= most, f"{work}: {scheduled} scheduled, expected {least:.0f} to {most:.0f}"


def noise(transitions):
    """Six standard deviations of eight times the number of marks, when each transition has one with a chance of 1/8."""
    return 6 * math.sqrt(7 * transitions)


def exercise(target, counters):
    # Nothing blocks: each goroutine runs once. One that reuses the g of one that ended with a mark has that as well: 1
    # and 7/8 times as many as there are, plus what preempts them.
    target.command(f"churn {CHURNED}")
    expect("churn", counters, CHURNED, CHURNED, CHURNED - noise(CHURNED), 2.1 * CHURNED)

    # Each runs once, then parks and stays.
    target.command(f"spawn {SPAWNED}")
    expect("spawn", counters, SPAWNED, SPAWNED, SPAWNED - noise(SPAWNED), 2.1 * SPAWNED)

    # Each runs a second time.
    target.command("release")
    expect("release", counters, 0, SPAWNED, SPAWNED - noise(SPAWNED), 1.1 * SPAWNED + noise(SPAWNED))

    # Whoever comes first to an unbuffered channel parks: two parks a round trip, exactly. Each player's own share is
    # right within eight.
    target.command(f"pingpong {TRIPS}", seconds=120)
    expect("pingpong", counters, 2, 2 * TRIPS, 2 * TRIPS - 16, 2.2 * TRIPS)


def resize(target, counters):
    """Ps come and go, and what they have counted, or had left of their ids, is not lost with them."""
    before = target.command("procs 8")
    for procs in (3, 8, 1, 16, before):
        target.command("churn 3000")
        target.command(f"procs {procs}")
        spawned, _ = counters.since()
        assert spawned == 3000, f"GOMAXPROCS {procs}: {spawned} spawned, the program says 3000"


def storm(target, counters, exact):
    looks = counters.look_meanwhile(lambda: target.command("churn 20000"))
    print(f"  in a storm: {looks['reads']} reads, {looks['calls']:.2f} calls and {looks['us']:.1f} us each; "
          f"{looks['spawns_per_s']:.0f} spawns/s, spawned went back by {looks['spawned_drop']} at most")
    assert looks["last"]["spawned"] > looks["first"]["spawned"], looks
    assert looks["scheduled_drop"] == 0, looks
    # A P that has just taken 16 ids and not written them down yet seems to have used them.
    assert looks["spawned_drop"] <= (0 if exact else 16 * (os.cpu_count() or 1)), looks
    counters.since()


def main():
    need_root()
    print_counters, version, *kinds = sys.argv[1:]
    exe = builds.build("counts", version, kinds)
    # Without garbage collection, whose workers would be among what is spawned.
    with harness.Target(exe, env={"GOGC": "off"}) as target:
        counters = Counters(print_counters, target.pid)
        print(f"Go {version} {' '.join(kinds)}", flush=True)
        exercise(target, counters)
        storm(target, counters, exact=int(version.split(".")[1]) >= 26)
        resize(target, counters)
        quiet = counters.look_meanwhile(lambda: time.sleep(0.05))
        print(f"  in peace: {quiet['calls']:.2f} calls and {quiet['us']:.1f} us each; {quiet['cpu_s']:.2f} s of CPU used")
        assert quiet["last"]["spawned"] == quiet["first"]["spawned"], quiet
        assert target.quit() == 0


main()
