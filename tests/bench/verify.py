#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `goleakd verify` costs commands in which nothing leaks.

    verify.py [--quick] [--pairs N] [--go VERSION]

Each command is run bare, under verify, and bare again, over and over; the medians of the ratios within each round are shown, in
brackets the least and the most. The second bare run is the control: it tells how much of a difference is noise.
"""

import argparse
import os
import resource
import statistics
import subprocess
import time

import workloads  # noqa: F401, first: it makes the modules of tests/integration known
import harness
from daemon import GOLEAKD

# Of the standard library, because they take a while and leave no goroutines.
PACKAGES = ["sort", "container/list", "text/tabwriter", "encoding/csv", "encoding/hex"]


def run(command, options):
    """Seconds that it takes, and CPU time of all its processes."""

    def cpu():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    begin, cpu_before = time.monotonic(), cpu()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    return time.monotonic() - begin, cpu() - cpu_before


def measure(name, command, pairs, options):
    bare, again, gated = [], [], []
    for _ in range(pairs):
        bare.append(run(command, options))
        gated.append(run([GOLEAKD, "verify", "--", *command], options))
        again.append(run(command, options))

    def median(runs, what):
        return f"{statistics.median(one[what] for one in runs) * 1000:.0f} ms"

    def ratio(runs, what):
        ratios = [one[what] / before[what] for one, before in zip(runs, bare)]
        return f"{statistics.median(ratios):.3f} ({min(ratios):.3f}–{max(ratios):.3f})"

    for what, title in enumerate(("time", "CPU time")):
        print(f"| {name} | {title} | {median(bare, what)} | {median(gated, what)} | {ratio(gated, what)} | {ratio(again, what)} |",
              flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="two rounds")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--go", default="1.27")
    arguments = parser.parse_args()
    pairs = 2 if arguments.quick else arguments.pairs
    options = {"env": harness.go_environment(arguments.go), "cwd": harness.TARGETS}
    print(f"Go {arguments.go}, {pairs} rounds, {os.cpu_count()} processors\n")
    print("| command | | bare | under verify | ratio | control |\n|---|---|---:|---:|---:|---:|")
    with harness.temp_dir() as folder:
        test = folder / "fixed.test"
        subprocess.run(["go", "test", "-trimpath", "-c", "-o", test, "./verify/fixed"], check=True, **options)
        measure("one small test binary", [test, "-test.run", "Direct|Callback|Subtests|Parallel"], pairs, options)
    suite = ["go", "test", "-count=1", *PACKAGES]
    subprocess.run(suite, check=True, stdout=subprocess.DEVNULL, **options)  # compiles
    measure("go test -count=1 of packages of the standard library, compiled before", suite, pairs, options)


main()
