#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many events a second one core decodes and merges into the ledger: events of running programs, recorded through the probes
and replayed by Google Benchmark.

    events.py [--go VERSION] [--seconds S]
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
import harness  # noqa: E402
from unharmed import Work  # noqa: E402

MERGE = ROOT / "build/tests/bench/event-merge"
BAR = 5_000_000


def replay(pid, seconds):
    """(events, those alive at the end, events a second), medians of five."""
    result = subprocess.run([MERGE, str(pid), str(seconds), "--benchmark_format=json", "--benchmark_repetitions=5"],
                            capture_output=True, text=True, check=True)
    runs = json.loads(result.stdout)["benchmarks"]
    median = next(run for run in runs if run.get("aggregate_name") == "median")
    return int(result.stderr.split()[0]), int(median["live"]), median["items_per_second"]


def bench(version, work, seconds):
    with harness.Process([harness.build_target("bench", version), work, "0"]) as program:
        return replay(program.pid, seconds)


def features(version, seconds):
    """Everything that Go has, over and over."""
    with harness.Target(harness.build_target("features", version)) as program, Work(program) as work:
        figures = replay(program.pid, seconds)
        work.check()
        return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--go", default="1.27")
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    rows = [("channel ping-pong", bench(options.go, "pingpong", options.seconds)),
            ("spawn storm", bench(options.go, "spawn", options.seconds)),
            ("all features", features(options.go, options.seconds))]
    print(f"Go {options.go}, events of {options.seconds} s, one of {os.cpu_count()} processors, Linux {platform.release()}\n")
    print("| program | events recorded | alive at the end | decoded and merged a second |")
    print("|---|---:|---:|---:|")
    for name, (events, live, rate) in rows:
        print(f"| {name} | {events:,} | {live:,} | {rate / 1e6:.1f} M |")
    slowest = min(rate for _, (_, _, rate) in rows)
    print(f"\n- the slowest: {slowest / 1e6:.1f} M a second, bar {BAR / 1e6:.0f} M: {'met' if slowest >= BAR else 'NOT met'}")


main()
