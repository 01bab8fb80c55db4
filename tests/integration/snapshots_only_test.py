#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where uprobes are not to be had, the daemon goes on with snapshots alone, finds the leak, and says what it lacks in its log, in
`list` and in its metrics."""

import json
import os
import subprocess

import harness
from daemon import GOLEAKD, Daemon, need_root

QUICK = {"quiet_after_start": "0s", "growing_window": "5s", "growing_intervals": 5, "growing_rises": 4}
# Reading other people's memory is allowed, BPF is not.
WITHOUT_BPF = ["setpriv", "--bounding-set=-all,+sys_ptrace,+dac_override,+dac_read_search", "--inh-caps=-all"]


def without_bpf(folder):
    exe = harness.build_target("forever", "1.24")
    with harness.Process([exe, "-every", "50ms"]) as forever:
        forever.await_output("^ready$")
        with Daemon(folder, [exe], prefix=WITHOUT_BPF, thresholds=QUICK, snapshots={"interval": "500ms"}) as daemon:
            daemon.await_output("no events, watching by snapshots alone: .*CAP_BPF")
            leaks = harness.wait_for(
                lambda: [leak for target in daemon.api("leaks")["targets"] for leak in target["leaks"]
                         if leak["stage"] == "leaking"], 40, "the leaks to be found by snapshots alone")
            assert {leak["evidence"] for leak in leaks} <= {"forever", "growing"}, leaks
            target = daemon.target(forever.pid)
            assert target["mode"] == "snapshots" and "CAP_BPF" in target["mode_reason"], target
            assert daemon.metric("goleakd_events_available") == 0
            assert daemon.metric("goleakd_probe_attached", app="forever") == 0
            assert daemon.metric("goleakd_site_spawned_total", app="forever") is None, "a count that nobody counted"
            listed = json.loads(subprocess.run([*WITHOUT_BPF, GOLEAKD, "list", "--format", "json"], capture_output=True,
                                               text=True, check=True).stdout)
            row = next(row for row in listed["processes"] if row["pid"] == forever.pid)
            assert row["watch"] == "snapshots" and "CAP_BPF" in row["reason"] and row["goroutines"] > 0, row


def main():
    need_root()
    with harness.temp_dir() as folder:
        without_bpf(folder)
    print(f"seen by snapshots alone, as uid {os.geteuid()}")


main()
