#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goroutines that wait for each other's locks are told of with all of them, what each holds and waits for; programs that take the
same locks in order are left in peace, and so are waiters whose holder goes on.

    deadlocks_test.py GO_VERSION [stripped] [pie] [cgo]
"""

import contextlib
import sys
import time

import builds
import harness
from daemon import Daemon, need_root

# Services of tests/targets/leaks: the cause, and how many goroutines it takes at least.
DEADLOCKED = {"deadlock_pair": ("lock_order", 2), "global_locks": ("lock_order", 2), "lock_order": ("lock_order", 2),
              "double_lock": ("double_lock", 1), "once_recursive": ("double_lock", 1), "wait_under_lock": ("wait_under_lock", 4)}
# Theirs wait for locks as long; but whoever holds them waits for something else, or has gone.
ONLY_STUCK = {"mutex_over_channel": ["chan_send"], "mutex_over_network": ["io"], "missing_unlock": []}
STUCK_AFTER = 2


def lines_of(name):
    """Where the source says that a deadlock stands."""
    text = (harness.TARGETS / "leaks" / f"{name}.go").read_text(encoding="utf-8")
    return {number for number, line in enumerate(text.splitlines(), 1) if "// leak:" in line and "deadlock" in line}


def own_frame(place):
    return next(frame for frame in place["stack"] if frame["function"].startswith("main."))


def check_deadlock(name, leak):
    cause, size = DEADLOCKED[name]
    assert (leak["cause"], leak["severity"]) == (cause, "ticket"), leak
    members = leak["deadlock"]["members"]
    assert leak["count"] >= len(members) >= size, leak
    lines = {own_frame(member)["line"] for member in members}
    assert lines and lines <= lines_of(name), (lines, lines_of(name))
    assert name == "lock_order" or lines == lines_of(name), (lines, lines_of(name))  # there it is one line that both stand at
    awaited = [member["waits_for"]["address"] for member in members]
    held = [held["object"]["address"] for member in members for held in member["holds"]]
    assert set(held) >= set(awaited), f"{name}: nobody of them holds what they wait for: {leak['deadlock']}"
    if cause == "double_lock":
        assert all(member["holds"][0]["object"]["address"] == member["waits_for"]["address"] for member in members), members
    else:
        assert all(held["object"]["address"] != member["waits_for"]["address"] for member in members for held in member["holds"])


def check_holders(name, leaks):
    """Whose holder is no part of a deadlock."""
    waiting = [leak for leak in leaks if leak["held_by"] is not None]
    assert waiting, f"{name}: nobody was seen to wait for a lock: {leaks}"
    waits = {holder["blocked"]["wait"] for leak in waiting for holder in leak["held_by"]}
    assert waits == set(ONLY_STUCK[name]), f"{name}: held by {waits}"


def main():
    need_root()
    version, *kinds = sys.argv[1:]
    exe = builds.build("leaks", version, kinds)
    thresholds = {"stuck_after": f"{STUCK_AFTER}s", "quiet_after_start": "0s", "growing_window": "3s", "growing_intervals": 3, "growing_rises": 2}
    with harness.temp_dir() as folder, contextlib.ExitStack() as running:
        daemon = running.enter_context(Daemon(folder, [exe], mode="snapshots", thresholds=thresholds,
                                              snapshots={"interval": "300ms", "interval_with_suspects": "300ms", "max_cpu": 0.5}))

        def start(*arguments):
            # Often, so that chance soon has its way where two must meet.
            return running.enter_context(harness.Process([exe, "-period=20ms", *arguments])).pid

        leaky = {name: start(name) for name in DEADLOCKED}
        fixed = {name: start(name, "fixed") for name in DEADLOCKED}
        stuck = {name: start(name) for name in ONLY_STUCK}

        def deadlock(pid):
            return next((leak for leak in daemon.leaks(pid) if leak["evidence"] == "deadlock" and leak["stage"] == "leaking"), None)

        for name, pid in leaky.items():
            leak = harness.wait_for(lambda pid=pid: deadlock(pid), 60, f"the deadlock of {name}")
            check_deadlock(name, leak)
            print(f"{name}: {leak['cause']}: {leak['reasoning']}", flush=True)
        # Looks come every half a minute; the first is over for all of them.
        time.sleep(2 * STUCK_AFTER)
        for name, pid in (fixed | stuck).items():
            assert not [leak for leak in daemon.leaks(pid) if leak["evidence"] == "deadlock"], (name, daemon.leaks(pid))
        for name, pid in stuck.items():
            check_holders(name, daemon.leaks(pid))
        print(f"{', '.join(stuck)}: no deadlock, and the right holders")


main()
