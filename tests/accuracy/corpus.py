#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goleakd says of Go's own corpus of leaking programs, beside what Go's own profile of leaked goroutines says in the same run.

    corpus.py [--go VERSION]

In those programs a few goroutines leak once, and nothing grows. docs/accuracy.md says what that means for a judge of growth. Exits with 0
only if there was no alert about what is no leak, and something was said of every site that leaks each time and is not listed in
known_misses.txt.
"""

import argparse
import contextlib
import os
import sys
import time
from dataclasses import dataclass, field

import go_corpus
import harness
import marks
import own_traceback
from daemon import Daemon, need_root
from tables import table

WATCHED = 45  # seconds
# Nothing grows here; a goroutine that is stuck for that long is called stale.
SETTINGS = {"thresholds": {"quiet_after_start": "0s", "growing_window": "15s", "growing_intervals": 10, "stale_after": "10s"},
            "snapshots": {"interval": "1s", "interval_with_suspects": "1s", "max_cpu": 0.5}}


@dataclass
class Run:
    program: go_corpus.Program
    process: harness.Process
    profile: object  # a path
    stuck: set = field(default_factory=set)  # expected sites that are there
    builtin: set = field(default_factory=set)
    found: dict = field(default_factory=dict)  # by goleakd: {pattern: evidence}
    alerts: list = field(default_factory=list)  # that nobody expected
    information: list = field(default_factory=list)

    @property
    def missed(self):
        """Sites that leak each time, if these programs do as Go's test says of them."""
        return self.stuck - self.found.keys() if self.program.required else set()

    def passed(self, known):
        return not self.alerts and bool(self.missed) == (self.program.name in known)

    def pattern_of(self, site):
        return next((pattern.pattern for pattern in self.program.expected if pattern.search(site)), None)


def start(program, exe, folder):
    path, profile = folder / program.name, folder / f"{program.name}.profile"
    os.link(exe, path)
    process = harness.Process([path, program.name], env={"GODEBUG": "asyncpreemptoff=1", go_corpus.PROFILE: str(profile)})
    return Run(program, process, profile)


def look(run, daemon):
    """Fills in what the process, Go and goleakd say of the run."""
    for g in own_traceback.dump_json(run.process.pid)["goroutines"]:
        shown = [frame for frame in g["frames"] if not frame["hidden"]]
        if shown and not g["system"] and g["id"] != 1:
            run.stuck.add(run.pattern_of(go_corpus.site(shown[-1]["function"], g["state"])))
    for site in go_corpus.sites_of_profile(run.profile.read_text(encoding="utf-8")):
        run.builtin.add(run.pattern_of(site))
    for leak in daemon.leaks(run.process.pid):
        if leak["stage"] != "leaking":
            continue
        site = go_corpus.site(leak["stack"][-1]["function"] if leak["stack"] else leak["creation"]["entry"], leak["blocked"]["reason"])
        if pattern := run.pattern_of(site):
            run.found[pattern] = leak["evidence"]
        else:
            (run.alerts if leak["severity"] in marks.ALERTS else run.information).append(f"{leak['evidence']}: {site}")
    run.stuck.discard(None)
    run.builtin.discard(None)


def show(runs, version):
    rows = []
    for run in runs:
        said = ", ".join(sorted(set(run.found.values()))) or "–"
        rows.append([run.program.name, str(len(run.program.expected)), str(len(run.stuck)), str(len(run.builtin)), str(len(run.found)),
                     said, "; ".join(run.alerts) or "–", "; ".join(run.information) or "–"])
    table(f"Go's own corpus, built with Go {version}: sites that leak",
          ["program", "declared", "stuck now", "Go's profile", "goleakd", "evidence", "false alerts", "information"], rows)
    leaking = [run for run in runs if run.stuck]
    print(f"\nPrograms that leak in this run: {len(leaking)} of {len(runs)}; of them goleakd speaks of "
          f"{sum(bool(run.found) for run in leaking)}, Go's profile of {sum(bool(run.builtin) for run in leaking)}. "
          f"Sites: {sum(len(run.stuck) for run in runs)}; goleakd {sum(len(run.found.keys() & run.stuck) for run in runs)}, "
          f"Go's profile {sum(len(run.builtin & run.stuck) for run in runs)}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--go", default=go_corpus.NEWEST, help="the Go version to build with, 1.22 or later")
    version = parser.parse_args().go
    need_root()
    if not go_corpus.SOURCE.is_dir():
        harness.skip(f"no {go_corpus.SOURCE}; run: scripts/setup --test")
    with harness.temp_dir() as folder, contextlib.ExitStack() as running:
        executables = go_corpus.build(folder, version)
        daemon = running.enter_context(Daemon(folder, [folder / "*"], **SETTINGS))
        runs = []
        for program in go_corpus.programs():
            runs.append(start(program, executables[program.package], folder))
            running.enter_context(runs[-1].process)
        ended = []
        for run in runs:
            try:
                run.process.await_output(go_corpus.HOLDING, 60)
            except (RuntimeError, TimeoutError) as failure:  # some deadlock or crash now and then, as Go's test knows, too
                ended.append(run)
                print(f"[corpus] {run.program.name} left out: {str(failure).splitlines()[0]}", file=sys.stderr)
        time.sleep(WATCHED)
        runs = [run for run in runs if run not in ended]
        for run in runs:
            look(run, daemon)
    show(runs, version)
    known = marks.known_misses()
    failed = [run for run in runs if not run.passed(known)]
    for run in failed:
        wrong = [*run.alerts, *(f"not found: {site}" for site in run.missed)] or ["found, but listed as a known miss"]
        print(f"\n{run.program.name}: {'; '.join(wrong)}", file=sys.stderr)
    print(f"\n{len(runs) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or len(ended) > len(runs) // 10 else 0


if __name__ == "__main__":
    sys.exit(main())
