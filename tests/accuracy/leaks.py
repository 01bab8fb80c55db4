#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether goleakd finds the leaks of programs that leak, at the right line and with the right cause, and leaves others in peace.

    leaks.py [--quick | --window DURATION] [--for DURATION] [--go VERSION] [NAME…]

Runs the services of tests/targets/leaks, their corrected twins, and those of tests/targets/healthy side by side under one goleakd
with its default configuration, and prints what it said of each. --window shortens the clock by which it judges, --quick is that in
small. What is known not to be found stands in known_misses.txt with the reason: it fails when it is found. Exits with 0 only if
nothing failed.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field

import real_programs  # first: it makes the modules of tests/integration known
import harness
import leak_check
import marks
from daemon import Daemon, need_root
from tables import table

# Thresholds that --window shortens with the window of growth, in seconds: docs/verdicts.md.
CLOCK = {"quiet_after_start": 120, "growing_window": 300, "accumulating_window": 1800, "stuck_after": 60, "cancelled_after": 60}
QUICK_WINDOW = 20
# With a shortened window the long one is only three times as long, so that CI can wait for it.
SHORT_CLOCK = CLOCK | {"accumulating_window": 900}
SNAPSHOTS = {"interval": 10, "interval_with_suspects": 2}
# Burns all that it can get: only what nobody else wants.
GREEDY = "spin"


@dataclass
class Program:
    name: str
    kind: str  # leaky, fixed, healthy
    arguments: list
    process: harness.Process = None
    begun: float = 0
    sightings: leak_check.Sightings = field(default_factory=leak_check.Sightings)

    @property
    def key(self):
        """Its name in known_misses.txt, and as a service."""
        return f"{self.name}-fixed" if self.kind == "fixed" else self.name


@dataclass
class Row:
    program: Program
    verdicts: list
    alerts: list
    known: str = ""  # the reason for which it may fail

    @property
    def right(self):
        return not self.alerts and all(verdict.passed for verdict in self.verdicts)

    @property
    def passed(self):
        return self.right != bool(self.known)

    def result(self):
        if self.right:
            return "found, but listed as a known miss" if self.known else "ok"
        wrong = "; ".join([verdict.wrong for verdict in self.verdicts if verdict.wrong]
                          + [f"false alert: {seen.text()}" for seen in self.alerts])
        return ("known: " if self.known else "FAIL: ") + wrong


def names_in(exe):
    return subprocess.run([exe, "-list"], check=True, capture_output=True, text=True).stdout.split()


def choose(leaks, healthy, minute, wanted):
    """Every program that there is, or those of these names."""
    found = []
    # A pool that stops has been seen at work before, a few looks long.
    well = f"-well={max(minute, 10)}s"
    for name in names_in(leaks):
        found.append(Program(name, "leaky", [well, name]))
        found.append(Program(name, "fixed", [well, name, "fixed"]))
    found += [Program(name, "healthy", [f"-minute={minute}s", name]) for name in names_in(healthy)]
    if unknown := set(wanted) - {program.name for program in found}:
        sys.exit(f"no program {', '.join(sorted(unknown))}")
    return [program for program in found if not wanted or program.name in wanted]


def start(program, exe):
    idle = ["chrt", "--idle", "0"] if program.key == GREEDY else []
    program.process = harness.Process([*idle, exe, *program.arguments])
    program.begun = time.monotonic()
    return program.process


def lay_out(folder, programs, leaks, healthy):
    """A file for each, by links: so they are services of their own. {key: path}"""
    for name, exe in (("leaks", leaks), ("healthy", healthy)):
        shutil.copy(exe, folder / f".{name}")
    paths = {}
    for program in programs:
        paths[program.key] = folder / program.key
        os.link(folder / (".healthy" if program.kind == "healthy" else ".leaks"), paths[program.key])
    return paths


def settings(window, paths):
    """The daemon's configuration: its defaults, but for the clock."""
    services = {"targets": {"include": [str(path) for path in paths.values()],
                            "services": [{"exe": str(path), "name": name} for name, path in paths.items()]}}
    if window == CLOCK["growing_window"]:
        return services
    share = window / CLOCK["growing_window"]
    clock = {"thresholds": {name: _ms(seconds * share) for name, seconds in SHORT_CLOCK.items()},
             "snapshots": {name: _ms(max(seconds * share, 0.3)) for name, seconds in SNAPSHOTS.items()} | {"max_cpu": 0.5}}
    return services | clock


def _ms(seconds):
    return f"{round(seconds * 1000)}ms"


def watch(daemon, programs, seconds):
    """Asks what is said of each, until all had that long."""
    by_pid = {program.process.pid: program for program in programs}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(1)
        for target in daemon.api("leaks")["targets"]:
            if program := by_pid.get(target["pid"]):
                program.sightings.add(target["leaks"], time.monotonic() - program.begun)
    for target in daemon.api("panics")["targets"]:
        if program := by_pid.get(target["pid"]):
            program.sightings.panics = target["sites"]
    watched = {target["pid"] for target in daemon.api("targets")["targets"] if target["checks_last_run"].get("growing")}
    for program in programs:
        if not program.process.running():
            raise RuntimeError(f"{program.key} ended with {program.process.wait()}:\n{program.process.output()[-2000:]}")
        if program.process.pid not in watched:
            raise RuntimeError(f"{program.key}: goleakd has never looked for growth in it")


def rows_of(programs):
    known = marks.known_misses()
    rows = []
    for program in programs:
        expected = marks.of(program.name) if program.kind == "leaky" else marks.Marks()
        verdicts, alerts = leak_check.judge(expected, program.sightings)
        rows.append(Row(program, verdicts, alerts, known.get(program.key, "")))
    return rows


def show(rows):
    yes = {True: "yes", False: "no"}
    table("Programs that leak", ["program", "stuck at", "expected", "found", "line", "cause", "said", "after", "result"],
          [[row.program.name, verdict.where, verdict.expected, yes[verdict.found], yes[verdict.line], yes[verdict.cause], verdict.said,
            f"{verdict.after:.0f} s" if verdict.after else "–", row.result()]
           for row in rows if row.program.kind == "leaky" for verdict in row.verdicts])
    for kind, title in (("fixed", "Their corrected twins"), ("healthy", "Healthy programs that look suspicious")):
        table(title, ["program", "alerts", "as information", "result"],
              [[row.program.name, str(len(row.alerts)), _information(row), row.result()] for row in rows if row.program.kind == kind])
    show_summary(rows)


def _information(row):
    return "; ".join(seen.text() for seen in row.program.sightings.leaking() if not seen.alert) or "–"


def show_summary(rows):
    verdicts = [verdict for row in rows for verdict in row.verdicts]
    lines = []
    for evidence in sorted({verdict.expected for verdict in verdicts}):
        mine = [verdict for verdict in verdicts if verdict.expected == evidence]
        counts = [sum(getattr(verdict, name) for verdict in mine) for name in ("found", "line", "evidence", "cause")]
        after = sorted(verdict.after for verdict in mine if verdict.after)
        lines.append([evidence, str(len(mine)), *(f"{count} ({100 * count // len(mine)} %)" for count in counts),
                      f"{after[len(after) // 2]:.0f} s, at most {after[-1]:.0f} s" if after else "–"])
    table("Per evidence", ["expected", "leaks", "found", "at the right line", "with that evidence", "with the right cause", "after"], lines)
    of = {kind: [row for row in rows if row.program.kind == kind] for kind in ("leaky", "fixed", "healthy")}
    print("\nFalse alerts: " + ", ".join(f"{sum(len(row.alerts) for row in mine)} in {len(mine)} {title}" for title, mine in (
        ("programs that leak", of["leaky"]), ("corrected twins", of["fixed"]), ("healthy programs", of["healthy"]))))


def long_enough(window):
    """The quiet time, the longest of the windows, two more of its intervals to confirm, and half as much again for false alerts."""
    clock = CLOCK if window == CLOCK["growing_window"] else SHORT_CLOCK
    longest = clock["quiet_after_start"] + 1.2 * max(clock.values())
    return 1.5 * longest * window / CLOCK["growing_window"] + 10


def seconds_of(text):
    units = {"s": 1, "m": 60}
    return float(text[:-1]) * units[text[-1]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"as --window {QUICK_WINDOW}s, for CI")
    parser.add_argument("--window", type=seconds_of, default=CLOCK["growing_window"], help="of growth (default: 5m, as goleakd's)")
    parser.add_argument("--for", dest="watched", type=seconds_of, help="how long to watch (default: 730s, shortened with the window)")
    parser.add_argument("--go", default="1.27", help="the Go version to build with (default: 1.27)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    options = parser.parse_args()
    need_root()
    window = QUICK_WINDOW if options.quick else options.window
    watched = options.watched or long_enough(window)
    leaks, healthy = (harness.build_target(name, options.go) for name in ("leaks", "healthy"))
    programs = choose(leaks, healthy, max(60 * window / CLOCK["growing_window"], 1), options.names)
    with harness.temp_dir() as folder, contextlib.ExitStack() as running:
        paths = lay_out(folder, programs, leaks, healthy)
        daemon = running.enter_context(Daemon(folder, [], **settings(window, paths)))
        for program in programs:
            running.enter_context(start(program, paths[program.key]))
        print(f"[leaks] watching {len(programs)} programs of Go {options.go} for {watched:.0f} s", file=sys.stderr, flush=True)
        watch(daemon, programs, watched)
        rows = rows_of(programs)
        show(rows)
    failed = [row for row in rows if not row.passed]
    for row in failed:
        print(f"\n{row.program.key}: {row.result()}", file=sys.stderr)
    print(f"\n{len(rows) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
