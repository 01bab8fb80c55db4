#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast a Go program is again when a goleakd that had all its probes in place is killed.

    recovery.py [--quick] [--rounds N] [--go VERSION]... [--workload NAME]...

Each round: a second of the bare program; a second of it with every probe in place (mode events, at any cost); the daemon is killed
by SIGKILL; the second that begins right then; and, as the control, another second of the bare program. Shown are ratios of
throughput to the first, medians over the rounds and, in brackets, the least and the most.
"""

import argparse
import signal

import workloads  # first: it makes the modules of tests/integration known
import harness
from show import progress, spread
from watching import Watching

NAMES = ("pingpong", "spawn", "mutex", "http")


def one_round(load):
    """(with the probes, right after the kill, the control) over the bare program"""
    bare = load.work(1).ops_per_s
    with harness.temp_dir() as folder, Watching(load, folder, "events") as goleakd:
        probed = load.work(1).ops_per_s
        goleakd.daemon.signal(signal.SIGKILL)
        after = load.work(1).ops_per_s
        goleakd.daemon.wait()
    return probed / bare, after / bare, load.work(1).ops_per_s / bare


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of the first workload: that it works")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--go", action="append", help="default: the oldest and the newest")
    parser.add_argument("--workload", choices=NAMES, action="append")
    options = parser.parse_args()
    versions = options.go or [harness.go_versions()[0], harness.go_versions()[-1]]
    names, rounds = options.workload or NAMES, options.rounds
    if options.quick:
        versions, names, rounds = versions[-1:], names[:1], 1
    print(f"Throughput over that of the bare program, {rounds} rounds\n")
    print("| workload | Go | with every probe | in the second after the kill | control |\n|---|---|---:|---:|---:|")
    for workload in workloads.ALL:
        if workload.name not in names:
            continue
        for version in versions:
            with workload.run(version) as load:
                ratios = []
                for number in range(rounds):
                    progress(f"{workload.name}, Go {version}: round {number + 1} of {rounds}")
                    ratios.append(one_round(load))
            progress("")
            print(f"| {workload.name} | {version} | " + " | ".join(spread(values, ".3f") for values in zip(*ratios)) + " |", flush=True)


main()
