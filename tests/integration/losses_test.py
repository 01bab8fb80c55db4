#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No event is lost silently. Where the ring is too small for a burst, every record that found no room is counted, by the API and
as a metric; counts that are no longer exact disappear rather than be wrong; and two snapshots later what lives is right
again, by corrections that are counted too. Where the ring has its usual size, nothing is lost at a million events a
second, be they spawns and exits, which are recorded, or parks and wakes, which are counted in tables.

    losses_test.py GO_VERSION [--seconds N]

--seconds: how long the latter.
"""

import argparse
import time

import harness
from daemon import Daemon, need_root
from exact import CHURN, SITE

RING = 256 << 10
RECORDS = RING // 48  # that fit: each has a header of 8 bytes
CROWD = 4 * RECORDS
EXACT = ("spawned", "exited", "parked", "unparked")
SERIES = ("goleakd_site_spawned_total", "goleakd_site_exited_total")


def hits(target):
    return {probe["name"]: probe["hits"] for probe in target["probes"]}


def check_nothing_lost(daemon, pid):
    losses = daemon.target(pid)["losses"]
    corrections = {name: number for name, number in losses["corrections"].items() if name != "seeded" and number}
    assert not corrections and losses["events_ring_full"] == losses["events_unreadable"] == 0, losses
    for site in daemon.sites(pid):
        assert all(site[name] is not None for name in EXACT), site


def check_after_a_loss(daemon, counts, live):
    """What is wrong is not told, and what is told is right. Returns the corrections so far."""
    daemon.await_snapshots(counts.pid, 3)  # the first may have begun before the burst was over
    target = daemon.target(counts.pid)
    own = counts.counts()
    assert own["spawned"] - own["exited"] == live
    assert target["counts"]["goroutines"] == int(counts.command("numgoroutine")) == live + 1, target
    assert target["counts"]["by_state"]["waiting"] == live, target
    assert target["mode"] == "events" and all(probe["attached"] for probe in target["probes"]), target
    sites = daemon.sites(counts.pid)
    assert sum(site["live"] for site in sites if site["function"] == SITE) == live, sites
    assert all(site["live"] == 0 for site in sites if site["function"] == CHURN), sites
    for site in sites:
        assert all(site[name] is None for name in EXACT), f"a count that has missed something: {site}"
    for name in SERIES:
        assert daemon.metric(name, app="counts") is None, f"{name} is there, and wrong"
    lost = target["losses"]["events_ring_full"]
    told = daemon.metric("goleakd_events_lost_total", reason="ring_full")
    assert told == lost, f"the API says {lost}, the metric {told}"
    corrections = {name: number for name, number in target["losses"]["corrections"].items() if name != "seeded"}
    for name, number in corrections.items():
        told = daemon.metric("goleakd_ledger_corrections_total", reason=name)
        assert told == number, f"{name}: the API says {number}, the metric {told}"
    return lost, corrections


def overflow(folder, version):
    exe = harness.build_target("counts", version, stripped=True)
    with harness.Target(exe, env={"GOGC": "off"}) as counts, \
         Daemon(folder, [exe], mode="events", probes={"ring_bytes": RING, "drain_interval": "10s"},
                snapshots={"interval": "300ms", "max_cpu": 1.0}) as daemon:
        daemon.await_exact(counts.pid)
        counts.command("spawn 100")
        daemon.expect(counts.pid, SITE, spawned=100, exited=0, parked=100, live=100)
        check_nothing_lost(daemon, counts.pid)
        assert daemon.metric("goleakd_site_spawned_total", app="counts") >= 100
        before = hits(daemon.target(counts.pid))

        counts.command(f"spawn {CROWD}")
        lost_by_spawns, corrections = check_after_a_loss(daemon, counts, 100 + CROWD)
        assert lost_by_spawns > 0, f"{CROWD} spawns and parks found room in a ring for {RECORDS}: this proves nothing"
        assert corrections["missed_spawn"] > 0, corrections
        # A hit is counted whether or not its record finds room.
        spawns = hits(daemon.target(counts.pid))["spawn"] - before["spawn"]
        assert spawns == CROWD, f"{spawns} hits, {CROWD} spawns"

        counts.command("release")
        lost_by_exits, corrections = check_after_a_loss(daemon, counts, 0)
        assert lost_by_exits > lost_by_spawns and corrections["missed_exit"] > 0, corrections

        counts.command(f"churn {CROWD}")
        counts.command(f"pingpong {CROWD}")
        counts.command("spawn 50")
        lost, corrections = check_after_a_loss(daemon, counts, 50)
        assert lost > lost_by_exits
        print(f"{CROWD} spawned, parked, woken, ended, and as many churned, by a ring for {RECORDS}: {lost} records "
              f"lost; corrections {corrections}", flush=True)
        counts.command("release")
        assert counts.quit() == 0


def sustain(folder, version, workload, seconds):
    exe = harness.build_target("bench", version)
    with harness.Process([exe, workload, "0"]) as bench, Daemon(folder, [exe], mode="events") as daemon:
        daemon.await_exact(bench.pid)
        begin, before = time.monotonic(), sum(hits(daemon.target(bench.pid)).values())
        time.sleep(seconds)
        end, after = time.monotonic(), sum(hits(daemon.target(bench.pid)).values())
        assert after > before, "no probe was hit"
        check_nothing_lost(daemon, bench.pid)
        assert daemon.metric("goleakd_events_lost_total") == 0
        print(f"{workload}: {(after - before) / (end - begin):,.0f} events/s for {end - begin:.0f} s, none lost")


def main():
    need_root()
    parser = argparse.ArgumentParser()
    parser.add_argument("version")
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()
    with harness.temp_dir() as folder:
        overflow(folder, arguments.version)
    for workload in ("spawn", "pingpong"):
        with harness.temp_dir() as folder:
            sustain(folder, arguments.version, workload, arguments.seconds)


main()
