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
import watching
from daemon import Daemon, need_root
from tables import table

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

    @property
    def pid(self):
        return self.process.pid

    def saw(self, target, age):
        self.sightings.add(target["leaks"], age)


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


def take_panics(daemon, programs):
    by_pid = {program.pid: program for program in programs}
    for target in daemon.api("panics")["targets"]:
        if program := by_pid.get(target["pid"]):
            program.sightings.panics = target["sites"]


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
    clock = watching.CLOCK if window == watching.WINDOW else watching.SHORT_CLOCK
    longest = clock["quiet_after_start"] + 1.2 * max(clock.values())
    return 1.5 * longest * window / watching.WINDOW + 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"as --window {watching.QUICK_WINDOW}s, for CI")
    parser.add_argument("--window", type=watching.seconds_of, default=watching.WINDOW, help="of growth (default: 5m, as goleakd's)")
    parser.add_argument("--for", dest="watched", type=watching.seconds_of, help="how long to watch (default: 730s, shortened with the window)")
    parser.add_argument("--go", default="1.27", help="the Go version to build with (default: 1.27)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    options = parser.parse_args()
    need_root()
    window = watching.QUICK_WINDOW if options.quick else options.window
    watched = options.watched or long_enough(window)
    leaks, healthy = (harness.build_target(name, options.go) for name in ("leaks", "healthy"))
    programs = choose(leaks, healthy, watching.minute_of(window), options.names)
    with harness.temp_dir() as folder, contextlib.ExitStack() as running:
        paths = lay_out(folder, programs, leaks, healthy)
        daemon = running.enter_context(Daemon(folder, [], **watching.settings(window, paths)))
        for program in programs:
            running.enter_context(start(program, paths[program.key]))
        print(f"[leaks] watching {len(programs)} programs of Go {options.go} for {watched:.0f} s", file=sys.stderr, flush=True)
        watching.watch(daemon, programs, watched)
        take_panics(daemon, programs)
        for key, reason in watching.neglected(daemon, programs).items():
            raise RuntimeError(f"{key}: {reason}")
        rows = rows_of(programs)
        show(rows)
    failed = [row for row in rows if not row.passed]
    for row in failed:
        print(f"\n{row.program.key}: {row.result()}", file=sys.stderr)
    print(f"\n{len(rows) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
