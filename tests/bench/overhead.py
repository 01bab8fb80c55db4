#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What watching costs a Go program: CPU time per operation and throughput with it over those without, in one run, interleaved.

    overhead.py [--quick] [--rounds N] [--seconds S] [--go VERSION] [--suite SUITE] [--rate N] [--workload NAME]...

Each round measures, one after the other, for every variant: the bare program, then the same process with the variant. Ratios
are taken within that pair; shown are medians over the rounds and, in brackets, the least and the most. "control" is bare against
bare: what it says is the noise of this machine.

CPU time is the watched process's own, user and system. pingpong, spawn, mutex and http (tests/targets/bench) count their
operations themselves; caddy, nats and etcd are servers of Debian, and the client beside them (tests/targets/drive) counts, whose
CPU time is nobody's. Client, server and goleakd share this machine's processors.

An event's price is the CPU time that an operation takes more than without, over the probe hits that it makes. It includes what
the traps do to the rest: caches, locks, batches that become smaller. So does that of "bare traps", the same probes with a program
that only counts; beside the price is how many times that of the same round it is. Not shown where it would be noise: with less than
a tenth more CPU time, or so few hits that bare traps, at what goleakd measures at its start, would make less than a
five-hundredth of it.
"""

import argparse
import os
import platform
import statistics
import time
from dataclasses import dataclass

import workloads  # first: it makes the modules of tests/integration known
import real_programs
import variants
from show import progress, spread

SETTLE = 2  # seconds: what came with the probes, a first snapshot among it, is over by then
NOTICED = 0.1  # more CPU time per operation
FEW = 0.002  # of the CPU time


@dataclass
class Pair:
    bare: workloads.Work
    with_it: workloads.Work
    hits: variants.Hits

    @property
    def throughput(self):
        return self.with_it.ops_per_s / self.bare.ops_per_s

    @property
    def cpu(self):
        return self.with_it.cpu_ns_per_op / self.bare.cpu_ns_per_op

    def event_ns(self, trap_ns):
        """None where it would be noise."""
        used_ns = 1e9 * self.with_it.cpu_s / self.with_it.seconds
        if self.cpu < 1 + NOTICED or self.hits.rate * trap_ns < FEW * used_ns:
            return None
        return (self.with_it.cpu_ns_per_op - self.bare.cpu_ns_per_op) / (self.hits.rate / self.with_it.ops_per_s)


def measure(load, variant, seconds):
    bare = load.work(seconds)
    with variant.watch(load) as watching:
        time.sleep(SETTLE)
        before = watching.look()
        with_it = load.work(seconds)
        hits = watching.hits(before, watching.look())
    time.sleep(0.5)
    return Pair(bare, with_it, hits)


def run(workload, form, rounds, seconds):
    """{variant: pairs, or why there are none}"""
    results = {variant.name: [] for variant in variants.ALL}
    with workload.run(form) as load:
        for number in range(rounds):
            for variant in variants.ALL:
                if isinstance(results[variant.name], str):
                    continue
                progress(f"{workload.name}: round {number + 1} of {rounds}, {variant.name}")
                try:
                    results[variant.name].append(measure(load, variant, seconds))
                except variants.Refused as refusal:
                    results[variant.name] = str(refusal)
    progress("")
    return results


def row(pairs, bare, trap_ns):
    """`bare`: pairs of the same rounds with bare traps."""
    event = [ns for pair in pairs if (ns := pair.event_ns(trap_ns)) is not None]
    ratios = [ns / floor for pair, trapped in zip(pairs, bare)
              if (ns := pair.event_ns(trap_ns)) is not None and (floor := trapped.event_ns(trap_ns)) is not None]
    price = [f"{statistics.median(event):,.0f}" if event else "–", spread(ratios, ".2f") if ratios else "–"]
    hits = statistics.median(pair.hits.rate for pair in pairs)
    return [f"{statistics.median(pair.bare.ops_per_s for pair in pairs):,.0f}",
            f"{statistics.median(pair.with_it.ops_per_s for pair in pairs):,.0f}",
            spread([pair.throughput for pair in pairs], ".3f"),
            spread([pair.cpu for pair in pairs], ".3f"),
            f"{hits:,.0f}", *price]


def table(workload, form, results):
    measured = [pairs for pairs in results.values() if not isinstance(pairs, str)]
    prices = [pair.hits.price for pairs in measured for pair in pairs if pair.hits.price]
    trap_ns, record_ns = (statistics.median(getattr(price, name) for price in prices) for name in ("trap_ns", "record_ns"))
    rounds = max(len(pairs) for pairs in measured)
    print(f"\n{workload.title(form)}: {rounds} pairs, a bare trap {trap_ns:,.0f} ns, with a record {record_ns:,.0f} ns\n")
    columns = ["variant", f"{workload.unit}/s bare", "with it", "throughput", "CPU time per operation", "hits/s", "ns per event",
               "of a bare trap"]
    print("| " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * 7)
    bare = results[variants.BARE.name]
    bare = [] if isinstance(bare, str) else bare
    for name, pairs in results.items():
        cells = row(pairs, bare, trap_ns) if not isinstance(pairs, str) else [f"does not attach: {pairs}", *[""] * 6]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()
    for name, pairs in results.items():
        if not isinstance(pairs, str) and pairs[-1].hits.say:
            print(f"- {name}: {pairs[-1].hits.say}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round: that it works, not what it costs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--go", default="1.27", help="for the workloads of tests/targets")
    parser.add_argument("--suite", default="bookworm", choices=workloads.SUITES, help="of Debian, for the servers")
    parser.add_argument("--rate", type=float, default=0, help="requests a second to the servers; 0: as many as go")
    parser.add_argument("--workload", choices=[workload.name for workload in workloads.ALL], action="append")
    options = parser.parse_args()
    rounds, seconds = (1, 1) if options.quick else (options.rounds, options.seconds)
    print(f"{seconds} s a measurement; {os.cpu_count()} processors, Linux {platform.release()}")
    for workload in workloads.ALL:
        if options.workload and workload.name not in options.workload:
            continue
        workload.rate = options.rate
        form = workload.form(options.go, options.suite)
        try:
            table(workload, form, run(workload, form, rounds, seconds))
        except real_programs.NotHere as reason:
            print(f"\n{workload.name}: {reason}")


main()
