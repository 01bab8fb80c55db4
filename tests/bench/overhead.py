#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What watching costs a Go program: throughput with probes over throughput without, in one run, interleaved.

    overhead.py [--rounds N] [--seconds S] [--go VERSION] [--workload pingpong|spawn]

Each round measures, one after the other, for every variant: the bare program, then the same process with the variant. The
ratio is taken within that pair; shown are the medians over the rounds. "control" is bare against bare: what it says is the
noise of this machine.
"""
import argparse
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
import harness  # noqa: E402

# The functions that goleakd probes, at their entries, as every other tracer does.
ENTRIES = ["runtime.newproc1", "runtime.gdestroy", "runtime.gopark", "runtime.ready"]


class Workload:
    """A running bench program; measure() gives operations and CPU seconds per second over the next seconds."""

    def __init__(self, binary, name):
        self.process = subprocess.Popen([binary, name, "0"], stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid

    def measure(self, seconds):
        # Lines that are already there belong to the past.
        lines = []
        start = time.monotonic()
        while time.monotonic() - start < seconds + 1:
            lines.append((time.monotonic(), json.loads(self.process.stdout.readline())))
        fresh = [line for when, line in lines if when - start > 0.9][:seconds]
        ops = sum(line["ops"] for line in fresh)
        cpu = sum(line["cpu_s"] for line in fresh)
        return {"ops_per_s": ops / len(fresh), "cpu_ns_per_op": 1e9 * cpu / max(ops, 1)}

    def drain(self):
        """Reads on until a line takes as long as lines take: nothing is left in the pipe."""
        while True:
            begin = time.monotonic()
            self.process.stdout.readline()
            if time.monotonic() - begin > 0.5:
                return

    def stop(self):
        self.process.kill()
        self.process.wait()


class Control:
    name = "control (bare again)"

    def start(self, workload, folder):
        pass

    def stop(self):
        pass


class Goleakd:
    def __init__(self, name, mode, settle):
        self.name, self.mode, self.settle = name, mode, settle

    def start(self, workload, folder):
        config = pathlib.Path(folder) / "goleakd.yaml"
        config.write_text(f'listen: ""\nsocket: {folder}/goleakd.sock\nmode: {self.mode}\n'
                          f'targets: {{include: ["{harness.exe_of(workload.pid)}"]}}\n')
        self.log = open(pathlib.Path(folder) / "goleakd.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([ROOT / "build/goleakd", "run", "--config", config], stderr=self.log)
        wanted = "probes attached" if self.mode != "snapshots" else "is watching"
        harness.wait_for(lambda: wanted in self.text(), 10, f"goleakd to say: {wanted}")
        time.sleep(self.settle)

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.log.close()


class Bpftrace:
    name = "bpftrace at the entries, counting"

    def start(self, workload, folder):
        exe = harness.exe_of(workload.pid)
        program = " ".join(f'uprobe:"{exe}":"{function}" {{ @c[{i}] = count(); }}' for i, function in enumerate(ENTRIES))
        program = 'BEGIN { printf("attached\\n"); } ' + program
        self.process = subprocess.Popen([harness.tool("bpftrace"), "-p", str(workload.pid), "-e", program],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "attached" not in (line := self.process.stdout.readline()):
            if not line:
                sys.exit("bpftrace: " + self.process.stderr.read())
        time.sleep(1)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


VARIANTS = [Control(), Goleakd("goleakd, default", "auto", 2), Goleakd("goleakd, events at any cost", "events", 1), Bpftrace()]


def run(binary, name, rounds, seconds):
    results = {variant.name: [] for variant in VARIANTS}
    workload = Workload(binary, name)
    try:
        for number in range(rounds):
            for variant in VARIANTS:
                print(f"\r{name}: round {number + 1} of {rounds}, {variant.name:<40}", end="", file=sys.stderr, flush=True)
                workload.drain()
                bare = workload.measure(seconds)
                with tempfile.TemporaryDirectory() as folder:
                    variant.start(workload, folder)
                    try:
                        workload.drain()
                        with_it = workload.measure(seconds)
                    finally:
                        variant.stop()
                time.sleep(0.5)
                results[variant.name].append((bare, with_it))
    finally:
        workload.stop()
    print("\r\033[K", end="", file=sys.stderr)
    return results


def table(name, results):
    unit = {"pingpong": "round trips", "spawn": "goroutines"}[name]
    print(f"\n{name}: pairs {len(next(iter(results.values())))}, medians\n")
    print(f"| variant | {unit}/s bare | with it | throughput | CPU per operation | spread of the throughput ratio |")
    print("|---|---:|---:|---:|---:|---:|")
    for variant, pairs in results.items():
        ratios = sorted(w["ops_per_s"] / b["ops_per_s"] for b, w in pairs)
        cpu = statistics.median(w["cpu_ns_per_op"] / b["cpu_ns_per_op"] for b, w in pairs)
        bare = statistics.median(b["ops_per_s"] for b, _ in pairs)
        with_it = statistics.median(w["ops_per_s"] for _, w in pairs)
        print(f"| {variant} | {bare:,.0f} | {with_it:,.0f} | {statistics.median(ratios):.3f} | {cpu:.2f} "
              f"| {ratios[0]:.3f} to {ratios[-1]:.3f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--go", default="1.27")
    parser.add_argument("--workload", choices=["pingpong", "spawn"], action="append")
    options = parser.parse_args()
    binary = harness.build_target("bench", options.go)
    print(f"Go {options.go}, {options.seconds} s a measurement, probes on {', '.join(ENTRIES)}")
    for name in options.workload or ["pingpong", "spawn"]:
        table(name, run(binary, name, options.rounds, options.seconds))


main()
