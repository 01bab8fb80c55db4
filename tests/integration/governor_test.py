#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What probes would cost is known before they go in, and what they cost never exceeds the budget for long: a busy program is
never probed where it is busy; one that is quiet is, until a storm, which the probes themselves report; and when that is over
they come back, and everything is exact again.

    governor_test.py GO_VERSION
"""

import sys
import time

import harness
from daemon import Daemon, need_root

HOLD = 3  # seconds
DEATHS = {"fatalpanic", "fatal", "throw"}  # always probed, they cost nothing


def hits(target, name):
    return next(probe["hits"] for probe in target["probes"] if probe["name"] == name)


def attached(target):
    return {probe["name"] for probe in target["probes"] if probe["attached"]}


def await_target(daemon, pid, what, condition, seconds=30):
    return harness.wait_for(lambda: (target := daemon.target(pid)) and condition(target) and target, seconds, what)


def refused_unpaid(folder, version):
    """Two goroutines that hand a value to and fro all the time: its parks are never probed, its spawns are."""
    exe = harness.build_target("bench", version)
    with harness.Process([exe, "pingpong", "0"]) as bench:
        with Daemon(folder, [exe]) as daemon:
            target = await_target(daemon, bench.pid, "the governor's decision",
                                  lambda target: "would cost" in target["mode_reason"])
            assert attached(target) == {"spawn", "exit", "panic", "recover"} | DEATHS and target["mode"] == "events", target
            assert target["mode_reason"].startswith("park and unpark are not probed: "), target["mode_reason"]
            overhead = target["overhead"]
            assert overhead["predicted_ratio"] > 0.1 and overhead["measured_ratio"] < 0.01, overhead
            time.sleep(3)
            target = daemon.target(bench.pid)
            assert hits(target, "park") == hits(target, "unpark") == 0, "paid for nothing"
            assert target["losses"]["budget_trips"] == 0, target
            ratio = daemon.metric("goleakd_overhead_predicted_ratio", app="bench")
            assert ratio > 0.1, ratio
            assert daemon.metric("goleakd_probe_attached", app="bench", probe="park") == 0
            assert 0 < daemon.metric("goleakd_probe_hit_cost_seconds", instruction="emulated", work="park") < 0.001
            daemon.await_exact(bench.pid)
            print(f"predicted {overhead['predicted_ratio']:.0%}: parks are not probed")


def storm(folder, version):
    exe = harness.build_target("counts", version, stripped=True)
    with harness.Target(exe) as counts:
        with Daemon(folder, [exe], budget={"hold": f"{HOLD}s"}, snapshots={"interval": "500ms"}) as daemon:
            every = {"spawn", "exit", "park", "unpark"}
            await_target(daemon, counts.pid, "all probes", lambda target: attached(target) >= every)
            counts.command("spawn 100")
            daemon.await_exact(counts.pid)
            counts.command("pingpong 2000000", 120)
            target = await_target(daemon, counts.pid, "the end of the storm's probes",
                                  lambda target: target["losses"]["budget_trips"] == 1)
            lost = target["losses"]["events_storm"]
            # What came between the breaker and the end of the probes, of 8,000,000.
            assert 0 < hits(target, "park") < 4_000_000, target
            daemon.await_output(r"park and unpark are no longer probed: .*(storm|budget)")
            await_target(daemon, counts.pid, "the probes to come back", lambda target: attached(target) >= every, 60)
            daemon.await_snapshots(counts.pid, 2)
            losses = daemon.target(counts.pid)["losses"]
            counts.command("spawn 50")
            counts.command("release")
            harness.wait_for(lambda: daemon.site(counts.pid, "main.spawnWorkers")["live"] == 0, 20, "the workers' end")
            target = daemon.target(counts.pid)
            for reason in ("missed_spawn", "missed_exit", "missed_park"):
                assert target["losses"]["corrections"][reason] == losses["corrections"][reason], (losses, target["losses"])
            site = daemon.site(counts.pid, "main.spawnWorkers")
            assert site["exited"] == 150 and site["spawned"] == 150, site
            assert daemon.metric("goleakd_probe_budget_trips_total", app="counts") == 1
            print(f"storm: {hits(target, 'park')} parks hit of 4,000,000, {lost} hits after the breaker")
        assert counts.quit() == 0


def main():
    need_root()
    version = sys.argv[1]
    for part in (refused_unpaid, storm):
        with harness.temp_dir() as folder:
            part(folder, version)


main()
