#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`goleakd dump --format json` of objects tells of each goroutine what it waits on, as the program itself knows it: the same
addresses, numbers, descriptors, endpoints and labels.

    objects_test.py GO_VERSION [stripped] [pie] [cgo]
"""

import json
import sys
import time

import builds
import harness
from daemon import goleakd

STATES = ("chan receive", "chan send", "select", "semacquire", "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock",
          "sync.WaitGroup.Wait", "sync.Cond.Wait", "sleep", "IO wait", "syscall")
NOT_OF_THE_OBJECT = {"id", "labels", "nanoseconds", "cases"}


def differences(name, known, seen):
    """What is not as the program says, in words."""
    if seen is None:
        return [f"{name}: waits on nothing"]
    wrong = [f"{name}: {field} is {seen.get(field)!r}, not {value!r}" for field, value in known.items()
             if field not in NOT_OF_THE_OBJECT and seen.get(field) != value]
    if "cases" in known:
        wrong += case_differences(name, known["cases"], seen["cases"])
    return wrong


def case_differences(name, known, seen):
    """Cases come in no order of the program's."""
    if len(known) != len(seen):
        return [f"{name}: {len(seen)} cases, not {len(known)}"]

    def by_channel(case):
        return case["address"], case["direction"]

    wrong = []
    for one, other in zip(sorted(known, key=by_channel), sorted(seen, key=by_channel)):
        wrong += differences(f"{name}, case {one['address']}", one, other)
    return wrong


def look(pid, truths):
    """The dump's goroutines by the names of truths, once all of them have come to rest."""

    def at_rest():
        result = goleakd("dump", pid, "--format", "json")
        assert result.returncode == 0, result.stderr
        seen = {g["id"]: g for g in json.loads(result.stdout)["goroutines"]}
        found = {name: seen.get(known["id"]) for name, known in truths.items()}
        return found if all(g and g["state"] in STATES for g in found.values()) else None

    return harness.wait_for(at_rest, 20, "all goroutines at rest")


def main():
    version, *kinds = sys.argv[1:]
    exe = builds.build("objects", version, kinds)
    begun = time.monotonic_ns()
    with harness.Target(exe) as program:
        truths = json.loads(program.command("truth"))
        assert len(truths) >= 26, f"only {len(truths)} goroutines: the program has lost its objects"
        found = look(program.pid, truths)
        wrong = []
        for name, known in sorted(truths.items()):
            seen = found[name]
            wrong += differences(name, known, seen["waits_on"])
            if seen["labels"] != known.get("labels", {}):
                wrong.append(f"{name}: labels are {seen['labels']}, not {known.get('labels', {})}")
            if "nanoseconds" in known:
                left = (seen["waits_on"] or {}).get("fires_in_ns", 0)
                if not known["nanoseconds"] - (time.monotonic_ns() - begun) <= left <= known["nanoseconds"]:
                    wrong.append(f"{name}: fires in {left} ns")
        assert not wrong, "\n".join(wrong)
    print(f"{len(truths)} goroutines wait on what the program says")


main()
