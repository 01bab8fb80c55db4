#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the governor predicts from the runtime's own counters against what the probes count, at the same time.

    prediction.py [--quick] [--seconds S] [--go VERSION]... [--suite SUITE]... [--workload NAME]...

goleakd watches in mode events: every probe is in place, whatever it costs, and its hits are the truth. Before and after some
seconds print_counters reads from the program's memory what the governor would go by: goroutines spawned, and their turns to run.
From those the governor expects a hit for each spawn and for each exit, a park at the end of each turn, and a wake before each
that is not a goroutine's first. Shown is what is so predicted over what was counted; above 1 the prediction is on the safe side.
Hits and counters are read a moment apart, which tells where a load is unsteady; "all" is what the daemon itself says, of both read
at once: its predicted over its measured ratio, the median of what it says each second.

Known to be predicted and never hit: the turn of a goroutine that ends has no park; one that takes the g of another adds up to two
turns (collector/snapshot/runtime_counters.h); whoever hands a starving mutex on yields, a turn without a park; system calls,
each up to Go 1.25. Coroutines (iter.Pull) are hit and never predicted.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time
from dataclasses import dataclass

import workloads  # first: it makes the modules of tests/integration known
import harness
import real_programs
from watching import Watching

PRINT_COUNTERS = pathlib.Path(os.environ.get("PRINT_COUNTERS", harness.REPOSITORY / "build/tests/integration/print_counters"))
SETTLE = 2  # seconds
CLOSE = 0.1
FEW = 20  # a second: not enough to judge by


@dataclass
class Counts:
    """Of a second."""

    spawns: float
    exits: float
    parks: float
    unparks: float


@dataclass
class Moment:
    """The probes' hits and the runtime's counters, read one after the other; each knows its own time."""

    look: object
    at: float
    spawned: int
    scheduled: int


def moment(goleakd):
    look = goleakd.next_look()
    at = time.monotonic()
    text = subprocess.run([PRINT_COUNTERS, str(goleakd.pid)], check=True, capture_output=True, text=True).stdout
    counters = json.loads(text)["first"]
    return Moment(look, at, counters["spawned"], counters["scheduled"])


def counted(before, after):
    seconds = after.look.at - before.look.at
    return Counts(*((after.look.hits[name] - before.look.hits[name]) / seconds for name in ("spawn", "exit", "park", "unpark")))


def predicted(before, after):
    """As the governor does: collector/probe/governor.cc."""
    seconds = after.at - before.at
    spawns, turns = ((getattr(after, name) - getattr(before, name)) / seconds for name in ("spawned", "scheduled"))
    return Counts(spawns, spawns, turns, max(turns - spawns, 0))


def measure(workload, form, seconds):
    """(Go version, predicted, counted, the daemon's own ratios of the two)"""
    with workload.run(form) as load, harness.temp_dir() as folder, Watching(load, folder, "events") as goleakd:
        time.sleep(SETTLE)
        before = moment(goleakd)
        looks = [goleakd.next_look() for _ in range(seconds)]  # one each second
        after = moment(goleakd)
        ratios = [look.predicted / look.measured for look in looks if look.predicted is not None and look.measured]
        version = goleakd.daemon.target(load.pid)["go_version"].removeprefix("go")
        return version, predicted(before, after), counted(before, after), ratios


def cell(told, truth):
    """(text, verdict)"""
    if max(told, truth) < FEW:
        return "few", ""
    ratio = told / max(truth, 1)
    verdict = "within 10 %" if abs(ratio - 1) <= CLOSE else "above" if ratio > 1 else "BELOW"
    return f"{ratio:.2f}", verdict


def row(name, go, told, truth, ratios):
    spawns, verdict_on_spawns = cell(told.spawns + told.exits, truth.spawns + truth.exits)
    parks, _ = cell(told.parks, truth.parks)
    unparks, _ = cell(told.unparks, truth.unparks)
    both, verdict_on_parks = cell(told.parks + told.unparks, truth.parks + truth.unparks)
    return [name, go, f"{truth.spawns:,.0f}", spawns, verdict_on_spawns, f"{truth.parks:,.0f}", parks, unparks, both,
            verdict_on_parks, f"{statistics.median(ratios):.2f}" if ratios else "?"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the oldest and the newest of each, in short: that it works")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--go", action="append", help="for the workloads of tests/targets; default: all that there are")
    parser.add_argument("--suite", action="append", choices=workloads.SUITES, help="of Debian, for the servers; default: all")
    parser.add_argument("--workload", choices=[workload.name for workload in workloads.ALL], action="append")
    options = parser.parse_args()
    versions = options.go or harness.go_versions()
    suites = options.suite or workloads.SUITES
    seconds = options.seconds
    if options.quick:
        versions, suites, seconds = [versions[0], versions[-1]], suites[:1], 2
    columns = ["workload", "Go", "spawns/s", "spawn, exit", "", "parks/s", "park", "unpark", "both", "", "all"]
    print(f"Predicted over counted, {seconds} s each\n\n| " + " | ".join(columns) + " |")
    print("|---|---|---:|---:|---|---:|---:|---:|---:|---|---:|")
    for workload in workloads.ALL:
        if options.workload and workload.name not in options.workload:
            continue
        for form in suites if isinstance(workload, workloads.Server) else versions:
            try:
                print("| " + " | ".join(row(workload.name, *measure(workload, form, seconds))) + " |", flush=True)
            except (real_programs.NotHere, TimeoutError) as reason:
                print(f"| {workload.name} | {form} | {reason} |" + " |" * 8, flush=True)


main()
