#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""After so many spawns, parks and exits the ledger equals the program's own count exactly, and nothing had to be corrected
that is not explained. Then the daemon is killed: the program lives on, and no probe remains.

    counts_test.py GO_VERSION [uprobe_multi|perf_event]
"""

import signal
import sys
import time

import harness
from daemon import Daemon, links_of_probes, need_root

SITE = "main.spawnWorkers"
CHURN = "main.churn"
STEP = 4000  # a quarter of the smallest table


def exercise(daemon, counts):
    spawned = exited = 0
    for number in (1, 1000, 37):
        counts.command(f"spawn {number}")
        spawned += number
        daemon.metrics()  # a site that has been shown once stays
        daemon.expect(counts.pid, SITE, spawned=spawned, exited=exited, parked=spawned, unparked=exited,
               live=spawned - exited)
        counts.command("release")
        exited = spawned
        daemon.expect(counts.pid, SITE, spawned=spawned, exited=exited, parked=spawned, unparked=exited, live=0)
    counts.command("churn 20000")
    counts.command("pingpong 5000")
    daemon.expect(counts.pid, CHURN, spawned=20000, exited=20000, live=0)
    # What is in the histogram of parks is what has woken, no more and no less.
    site_id = daemon.site(counts.pid, SITE)["id"]
    count = daemon.metric("goleakd_site_blocked_seconds_count", site_id=site_id)
    assert count == exited, f"{count}, not {exited}"
    assert daemon.metric("goleakd_site_blocked_seconds_bucket", site_id=site_id, le="+Inf") == exited
    own = counts.counts()
    assert own["spawned"] == spawned and own["exited"] == exited and own["parks"] == spawned, own


def check_begin_of_parks(daemon, counts):
    """Since when they are parked is known to the moment, though the snapshot that shows them is later."""
    begin = time.time()
    counts.command("spawn 10")
    end = time.time()
    time.sleep(1)  # more than two snapshots
    since = daemon.site(counts.pid, SITE)["oldest_blocked_since"]
    assert begin - 0.005 <= since <= end + 0.005, f"{since}, not from {begin} to {end}"
    counts.command("release")


def check_many(daemon, counts, number=60_000):
    """The tables in which parks are counted grow before they are full. In steps, because the daemon has to get a processor
    for that: what comes faster is lost, and told as such."""
    for _ in range(0, number, STEP):
        counts.command(f"spawn {STEP}")
        time.sleep(0.1)
    counts.command("release")
    own = counts.counts()
    daemon.expect(counts.pid, SITE, spawned=own["spawned"], exited=own["exited"], parked=own["parks"],
                  unparked=own["parks"], live=0)
    assert daemon.target(counts.pid)["losses"]["parks_table_full"] == 0


def main():
    need_root()
    version = sys.argv[1]
    method = sys.argv[2] if len(sys.argv) > 2 else "auto"
    exe = harness.build_target("counts", version, stripped=True)
    before = len(links_of_probes())
    with harness.temp_dir() as folder, harness.Target(exe) as counts:
        counts.command("spawn 50")  # these live before goleakd looks
        with Daemon(folder, [exe], mode="events", probes={"method": method}, snapshots={"interval": "300ms"},
                    site_histograms=True) as daemon:
            daemon.await_exact(counts.pid)
            daemon.expect(counts.pid, SITE, live=50, spawned=0, exited=0)
            counts.command("release")
            daemon.expect(counts.pid, SITE, live=0, exited=50)
            with harness.Target(exe) as fresh:  # and this one starts under its eyes
                daemon.await_exact(fresh.pid)
                exercise(daemon, fresh)
                check_begin_of_parks(daemon, fresh)
                check_many(daemon, fresh)
                target = daemon.target(fresh.pid)
                losses = target["losses"]
                corrections = losses["corrections"]
                seeded = corrections.pop("seeded")
                assert not any(corrections.values()), f"unexplained corrections: {corrections}"
                assert losses["events_ring_full"] == losses["events_unreadable"] == 0, losses
                assert target["mode"] == "events", target
                assert len(links_of_probes()) > before, "no probe is in place, so the end of this test would prove nothing"
                print(f"exact; {seeded} goroutines seeded, hits "
                      + ", ".join(f"{probe['name']} {probe['hits']}" for probe in target["probes"]))

                daemon.signal(signal.SIGKILL)
                daemon.wait()
                harness.wait_for(lambda: len(links_of_probes()) == before, 15, "the kernel to remove the probes")
                fresh.command("spawn 100")
                fresh.command("release")
                fresh.command("churn 1000")
                assert fresh.quit() == 0
        assert counts.quit() == 0


main()
