#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `goleakd verify` costs commands in which nothing leaks.

    verify.py [--quick] [--pairs N] [--go VERSION]

Each command is run bare, under verify, and bare again, over and over; the medians of the ratios within each round are shown, in
brackets the least and the most. The second bare run is the control: it tells how much of a difference is noise.
"""

import argparse
import os
import statistics
import subprocess
import time

import workloads  # noqa: F401, first: it makes the modules of tests/integration known
import harness
from daemon import GOLEAKD

# Of the standard library, because they take a while and leave no goroutines.
PACKAGES = ["sort", "strings", "container/...", "encoding/...", "text/...", "regexp/..."]


def seconds(command, options):
    begin = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    return time.monotonic() - begin


def measure(name, command, pairs, options):
    bare, again, gated = [], [], []
    for _ in range(pairs):
        bare.append(seconds(command, options))
        gated.append(seconds([GOLEAKD, "verify", "--", *command], options))
        again.append(seconds(command, options))

    def ratio(times):
        ratios = [one / before for one, before in zip(times, bare)]
        return f"{statistics.median(ratios):.3f} ({min(ratios):.3f}–{max(ratios):.3f})"

    print(f"| {name} | {statistics.median(bare) * 1000:.0f} ms | {statistics.median(gated) * 1000:.0f} ms | {ratio(gated)} "
          f"| {ratio(again)} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="two rounds")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--go", default="1.27")
    arguments = parser.parse_args()
    pairs = 2 if arguments.quick else arguments.pairs
    options = {"env": harness.go_environment(arguments.go), "cwd": harness.TARGETS}
    print(f"Go {arguments.go}, {pairs} rounds, {os.cpu_count()} processors\n")
    print("| command | bare | under verify | ratio | control |\n|---|---:|---:|---:|---:|")
    with harness.temp_dir() as folder:
        test = folder / "fixed.test"
        subprocess.run(["go", "test", "-trimpath", "-c", "-o", test, "./verify/fixed"], check=True, **options)
        measure("one small test binary", [test, "-test.run", "Direct|Callback|Subtests|Parallel"], pairs, options)
    suite = ["go", "test", "-count=1", *PACKAGES]
    subprocess.run(suite, check=True, stdout=subprocess.DEVNULL, **options)  # compiles
    measure("go test -count=1 of packages of the standard library, compiled before", suite, pairs, options)


main()
