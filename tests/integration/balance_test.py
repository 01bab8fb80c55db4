#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The books balance: after goroutines have started, parked, woken and ended in every way that Go has, the counts are
the program's own, all who parked were woken, and nothing had to be corrected that is not explained.

    balance_test.py GO_VERSION [stripped] [pie] [cgo]

What events cannot tell, and the test asserts to be just that:

* Go 1.23 makes the coroutines of iter.Pull past the probe of spawn, for they are never queued. Each is one
  missed_spawn, its spawn belongs to no site, and the wake to its first turn ends no park. From Go 1.24 on they count like all others.
* A function of time.AfterFunc is started by the timer: its creation site is time.goFunc, and it has no parent.
* Workers of the garbage collector park, but the scheduler takes most of them up again by findRunnableGCWorker, past the
  probes of unpark. They are the runtime's own and belong to no site; their wakes are implicit.
* To scan the stack of a goroutine that runs, the garbage collector stops it without a park, and lets it go by ready():
  that is an unmatched wake. So while garbage is collected parks and wakes differ, by just these two numbers.
* A park is taken back when what is waited for has come meanwhile. The network poller does that: a wake is implicit.
"""

import sys
import time

import builds
import harness
from daemon import Daemon, need_root

ROUNDS = 10
COROUTINES = "iter.Pull[...]"
COLLECTED = "main.collected"
POLLED = ("main.connected", "main.piped")  # who wait for the network poller
KINDS = ("spawn", "exit", "park", "unpark", "coroswitch")
# Without garbage to collect only the scavenger has work, of all the runtime's own.
SCAVENGER = 1


def own_totals(features):
    """{section: (started, ended, parks)}; parks is None where chance decides."""
    words = iter(features.command("totals").split())
    return {name: (int(started), int(ended), None if parks == "-1" else int(parks))
            for name, started, ended, parks in zip(words, words, words, words)}


class Look:
    """What goleakd knows of a program that does nothing at the moment."""

    def __init__(self, daemon, pid):
        target = daemon.target(pid)
        assert target["mode"] == "events" and target["up"], target
        self.hits = {probe["name"]: probe["hits"] for probe in target["probes"]}
        self.losses = target["losses"]
        self.system = target["counts"]["system_goroutines"]
        self.sites = {}  # {function: {"spawned": …}} over all its `go` statements
        for site in daemon.sites(pid):
            sums = self.sites.setdefault(site["function"], {})
            for name in ("live", "spawned", "exited", "parked", "unparked"):
                assert site[name] is not None, f"not exact: {site}"
                sums[name] = sums.get(name, 0) + site[name]


def look_when_settled(daemon, pid):
    """Events are drained on a timer, hits are read once a second, and two snapshots in a row correct."""
    daemon.await_snapshots(pid, 3)
    look = Look(daemon, pid)
    for _ in range(20):
        time.sleep(1.2)
        before, look = look, Look(daemon, pid)
        if vars(look) == vars(before):
            return look
    raise AssertionError(f"a program at rest keeps changing: {vars(before)}, then {vars(look)}")


def check_sites(look, own, coroutines_seen):
    """What goleakd says of each section is what the program says."""
    for name, (started, ended, parks) in own.items():
        if name == COROUTINES and not coroutines_seen:
            site = look.sites.get(name)  # only there when a snapshot has shown one of them
            assert site is None or site["spawned"] == site["live"] == 0, site
            continue
        site = look.sites[name]
        both = f"{name}: {site}, own {own[name]}"
        assert (site["spawned"], site["exited"], site["live"]) == (started, ended, 0), both
        taken_back = site["parked"] - site["unparked"]  # seldom: a lost probe of unpark would lack far more
        assert 0 <= taken_back <= (3 + site["parked"] // 100 if name in POLLED else 0), both
        assert parks is None or site["parked"] == parks, both


def check_losses(look, own, coroutines_seen):
    unseen = 0 if coroutines_seen else own[COROUTINES][0]
    unexplained = {name: number for name, number in look.losses["corrections"].items() if name != "seeded"}
    assert unexplained == {"missed_spawn": unseen, "missed_exit": 0, "missed_park": 0}, unexplained
    losses = look.losses
    for name in ("events_ring_full", "events_unreadable", "unmatched_exits", "dropped_goroutines"):
        assert losses[name] == 0, losses


class Window:
    """What has come between two looks."""

    def __init__(self, before, after, own_before, own_after, coroutines_seen):
        self.hits = {kind: after.hits.get(kind, 0) - before.hits.get(kind, 0) for kind in KINDS}
        self.implicit = after.losses["implicit_wakes"] - before.losses["implicit_wakes"]
        self.unmatched = after.losses["unmatched_wakes"] - before.losses["unmatched_wakes"]
        self.own = {name: (own_after[name][0] - own_before[name][0], own_after[name][1] - own_before[name][1])
                    for name in own_after}
        if not coroutines_seen:  # nobody told that they begin parked, so their first turn ends no park
            self.unmatched -= self.own[COROUTINES][0]
        # Of goroutines that are not the runtime's own. Unseen coroutines belong to a site, with all that they have done
        # since the start, only from the moment on when a snapshot happens to come upon one.
        known = [name for name in after.sites if coroutines_seen or name != COROUTINES]
        self.parked, self.unparked = (
            sum(after.sites[name][kind] - before.sites.get(name, {kind: 0})[kind] for name in known)
            for kind in ("parked", "unparked"))
        self.system = max(before.system, after.system)

    def check_births_and_deaths(self, coroutines_seen):
        """The runtime started its own goroutines before this, and they do not end."""
        started = sum(count for name, (count, _) in self.own.items() if coroutines_seen or name != COROUTINES)
        ended = sum(count for _, count in self.own.values())
        assert (self.hits["spawn"], self.hits["exit"]) == (started, ended), f"own {started}, {ended}; {self.hits}"

    def check_parks(self, at_one_end_alone):
        """Main sits in a system call at both ends: only the runtime's own may be parked at one end alone."""
        excess = self.hits["park"] - self.hits["unpark"]
        assert abs(excess - self.implicit + self.unmatched) <= at_one_end_alone, vars(self)
        # Coroutines begin parked, and hand over: a wake and, but for their last turn, a park.
        switches = self.hits["coroswitch"]
        assert self.hits["park"] + switches >= self.parked and self.hits["unpark"] + switches >= self.unparked, vars(self)

    def __str__(self):
        started, ended = (sum(counts[i] for counts in self.own.values()) for i in (0, 1))
        return (f"spawn {self.hits['spawn']} (own {started}), exit {self.hits['exit']} (own {ended}), "
                f"park {self.hits['park']}, unpark {self.hits['unpark']}, coroswitch {self.hits['coroswitch']}, "
                f"implicit {self.implicit}, "
                f"unmatched {self.unmatched}, system {self.system}; "
                f"without the runtime's own: park {self.parked}, unpark {self.unparked}")


def check_window(daemon, features, before, sections, coroutines_seen):
    """Lets the program work, and holds what goleakd says of that against what the program says."""
    own_before = own_totals(features)
    features.command(" ".join(["features", str(ROUNDS), *sections]), seconds=300)
    look = look_when_settled(daemon, features.pid)
    own = own_totals(features)
    check_sites(look, own, coroutines_seen)
    check_losses(look, own, coroutines_seen)
    window = Window(before, look, own_before, own, coroutines_seen)
    window.check_births_and_deaths(coroutines_seen)
    window.check_parks(SCAVENGER if sections else window.system)
    return look, window


def main():
    need_root()
    version, *kinds = sys.argv[1:]
    exe = builds.build("features", version, kinds)
    coroutines_seen = version != "1.23"
    with harness.temp_dir() as folder, \
         Daemon(folder, [exe], mode="events", snapshots={"interval": "300ms"}) as daemon, \
         harness.Target(exe, env={"GOGC": "off"}) as features:
        daemon.await_exact(features.pid)
        features.command("features 1", seconds=300)  # the runtime starts its own goroutines when they are first needed
        look = look_when_settled(daemon, features.pid)
        own = own_totals(features)
        check_sites(look, own, coroutines_seen)

        look, window = check_window(daemon, features, look, (), coroutines_seen)
        print(f"everything: {window}", flush=True)
        # Without garbage there is nothing that could hide a lost wake.
        tidy = [name for name in own if name not in (COLLECTED, COROUTINES)]
        look, window = check_window(daemon, features, look, tidy, coroutines_seen)
        assert (window.implicit, window.unmatched) == (window.parked - window.unparked, 0), vars(window)
        print(f"no garbage: {window}", flush=True)
        print(f"losses: {look.losses}")
        assert features.quit() == 0


main()
