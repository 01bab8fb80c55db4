#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the governor does as a program's load rises from nothing to all that it can and falls again.

    governor.py [--quick] [--step SECONDS] [--hold SECONDS] [--go VERSION] [--svg FILE]

The program is `bench steps` (tests/targets/bench): at each step so many operations a second, each a round trip between two
goroutines and one more that starts and ends: six probe hits. goleakd watches in mode auto, with its default budget, but probes
that were too dear are tried again after --hold seconds, so that the way back is seen as well. Once a second its API is asked
what it predicts, what it has measured, which probes are in place and why not all. Prints a row for each step, and draws what was
sampled into --svg.
"""

import argparse
import os
import pathlib
import platform
import statistics
import time
from dataclasses import dataclass

import workloads  # first: it makes the modules of tests/integration known
import governor_picture
import harness
from watching import Look, Watching, percent

RISE = ["0", "10", "30", "100", "500", "10000", "100000", "full"]
LOADS = [*RISE, *RISE[-2::-1]]
SHORT = ["0", "30", "full", "30", "0"]
BUDGET = 0.01  # goleakd's default


@dataclass
class Sample:
    at: float  # seconds since the first
    step: int
    look: Look
    ops_per_s: float
    cores: float


def watch(exe, loads, seconds, hold):
    """(samples, price)"""
    samples = []
    # The first load twice: once while goleakd starts.
    with workloads.Printer([exe, "steps", seconds, loads[0], *loads]) as bench, harness.temp_dir() as folder:
        load = workloads.Load(bench.pid, bench, stripped=False)
        with Watching(load, folder, "auto", budget={"hold": f"{hold}s"}) as goleakd:
            begin, line = time.monotonic(), bench.lines.newest()
            step, since = 0, begin
            while step + 1 < len(loads) or time.monotonic() - since < seconds:
                look, newest = goleakd.next_look(), bench.lines.newest()
                while loads[step] != newest["load"]:
                    step, since = step + 1, time.monotonic()
                if newest["at"] > line["at"]:
                    done = workloads.Work.between(line, newest)
                    samples.append(Sample(time.monotonic() - begin, step, look, done.ops_per_s, done.cpu_s / done.seconds))
                line = newest
            return samples, goleakd.price()


def row(load, samples):
    """Of one step. The groups are those in place at its end; what is measured is at its worst, so it has what the step's
    beginning cost before it was noticed."""
    last = samples[-1].look
    predicted = [sample.look.predicted for sample in samples if sample.look.predicted is not None]
    trips = last.trips - samples[0].look.trips
    return [load, f"{statistics.median(sample.ops_per_s for sample in samples):,.0f}",
            f"{statistics.median(sample.cores for sample in samples):.2f}",
            percent(statistics.median(predicted)) if predicted else "?",
            percent(max(sample.look.measured for sample in samples)),
            ", ".join(last.attached) or "none", str(trips), last.reason]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few short steps: that it works; draws only where --svg says")
    parser.add_argument("--step", type=int, default=10, help="seconds of each")
    parser.add_argument("--hold", type=int, default=3, help="budget.hold, seconds")
    parser.add_argument("--go", default="1.27")
    parser.add_argument("--svg", type=pathlib.Path, help="default: docs/governor.svg")
    options = parser.parse_args()
    loads, seconds = (SHORT, 4) if options.quick else (LOADS, options.step)
    svg = options.svg or (None if options.quick else harness.REPOSITORY / "docs/governor.svg")

    samples, price = watch(harness.build_target("bench", options.go), loads, seconds, options.hold)
    about = (f"Go {options.go}, {seconds} s a step, budget.hold {options.hold} s; a hit costs {price.record_ns:,.0f} ns; "
             f"{os.cpu_count()} processors, Linux {platform.release()}")
    print(about + "\n")
    columns = ["load, ops/s", "done", "cores used", "predicted for all", "measured at most", "probed at the end", "taken away",
               "why not all"]
    print("| " + " | ".join(columns) + " |\n|---:|---:|---:|---:|---:|---|---:|---|")
    for step, load in enumerate(loads):
        of_step = [sample for sample in samples if sample.step == step]
        if of_step:
            print("| " + " | ".join(row(load, of_step)) + " |")
    if svg:
        svg.write_text(governor_picture.draw(samples, loads, BUDGET, about), encoding="utf-8")
        print(f"\n{svg}: {svg.stat().st_size:,} bytes")


main()
