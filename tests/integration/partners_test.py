#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who wakes whom: of goroutines that wait as a suspect's do, started in the same place, it is seen by which function of the
program, and by which operation, others are let go; and that nobody does where nobody does. And what
those wait on that are stuck, and whether the goroutines that started them have ended.

    partners_test.py GO_VERSION [stripped] [pie] [cgo]
"""

import sys
import time

import builds
import harness
from daemon import SUSPICIOUS, Daemon, need_root

# Started by: let go by whom, and how.
PARTNERS = {
    "main.sends": ("main.receiveOne", "receive"),
    "main.receives": ("main.sendOne", "send"),
    "main.ranges": ("main.closeIt", "close"),
    "main.selects": ("main.tellToQuit", "select"),
    "main.locks": ("main.unlockIt", "unlock"),
    "main.waits": ("main.sayDone", "done"),
    "main.condition": ("main.signalIt", "signal"),
}
# What each that leaks waits on: an object of its own.
CHANNEL = {"kind": "channel", "element": "int", "length": 0, "capacity": 0, "closed": False}
OBJECTS = {
    "main.sends": {**CHANNEL, "direction": "send", "senders": 1, "receivers": 0},
    "main.receives": {**CHANNEL, "direction": "receive", "senders": 0, "receivers": 1},
    "main.ranges": {**CHANNEL, "direction": "receive", "senders": 0, "receivers": 1},
    "main.silence": {**CHANNEL, "direction": "receive", "senders": 0, "receivers": 1},
    "main.selects": {"kind": "select", "visible_cases": 2},
    "main.locks": {"kind": "mutex", "locked": True, "waiters": 1},
    "main.waits": {"kind": "waitgroup", "counter": 1, "waiters": 1},
    "main.condition": {"kind": "cond", "waiters": 1},
}


def suspects(daemon, pid):
    return {leak["creation"]["function"]: leak for leak in daemon.leaks(pid)}


def differences(leak):
    """What its goroutines wait on that is not as the program knows it."""
    expected = OBJECTS[leak["creation"]["function"]]
    wrong = [seen for seen in leak["waits_on"] if {name: seen.get(name) for name in expected} != expected]
    wrong += [case for seen in leak["waits_on"] for case in seen.get("cases", [])
              if any(case[name] != value for name, value in OBJECTS["main.silence"].items())]
    told = [goid for seen in leak["waits_on"] for goid in seen["goroutines"]]
    if sorted(told) != sorted(set(told) & set(leak["goroutines"])):
        wrong.append(told)
    return wrong


def await_objects(daemon, pid):
    """Until of each leak some goroutine's is known."""
    leaks = {}

    def all_told():
        leaks.update(suspects(daemon, pid))
        return all(leaks[start]["waits_on"] for start in OBJECTS)

    harness.wait_for(all_told, 20, "what they wait on")
    return leaks


def await_orphans(daemon, program):
    """Those who are stuck since before the goroutine that started them ended are said to be, and only when it has."""
    leak = suspects(daemon, program.pid)["main.session"]
    assert leak["count"] > 0 and leak["orphans"] == leak["left_behind"] == 0, leak
    sessions = int(program.command("end"))
    left = {}

    def all_left():
        left.update(suspects(daemon, program.pid)["main.session"])
        return left["orphans"] == sessions

    harness.wait_for(all_left, 10, "the end of the sessions")
    assert left["left_behind"] == sessions, left
    assert f"{sessions} outlived the goroutine that started them, " in " ".join(daemon.get("/api/v1/leaks?format=text").split())


def main():
    need_root()
    version, *kinds = sys.argv[1:]
    exe = builds.build("partners", version, kinds)
    with harness.temp_dir() as folder, harness.Target(exe) as program, \
         Daemon(folder, [exe], **SUSPICIOUS) as daemon:
        begin = time.time()
        deadline = time.monotonic() + 90
        while True:
            leaks = suspects(daemon, program.pid)
            if all(leaks.get(start, {}).get("woken_by") for start in PARTNERS) and "main.silence" in leaks:
                break
            assert time.monotonic() < deadline, {start: leak["woken_by"] for start, leak in leaks.items()}
            program.command("work 1")
            program.command("silence 1")
            program.command("session 1")
            time.sleep(0.2)
        for start, (partner, operation) in PARTNERS.items():
            for by in leaks[start]["woken_by"]:
                assert by["operation"] == operation, (start, by)
                assert by["stack"][0]["function"] == partner, (start, by)
                assert begin - 1 < by["last"] <= time.time(), (start, by)
        assert leaks["main.silence"]["woken_by"] == []
        leaks = await_objects(daemon, program.pid)
        wrong = {start: differences(leaks[start]) for start in OBJECTS}
        assert not any(wrong.values()), wrong

        def told():
            text = daemon.get("/api/v1/leaks?format=text")
            told = ("woken by   close, ", "woken by   nobody, while", "waits on   mutex 0x", "             case channel 0x")
            return all(words in text for words in told)

        harness.wait_for(told, 10, "all that in the text")
        if version != "1.19":  # which does not note who has started a goroutine
            await_orphans(daemon, program)
        waker = next(probe for probe in daemon.target(program.pid)["probes"] if probe["name"] == "waker")
        print(f"{len(PARTNERS)} kinds of wakes told by function and operation, {waker['hits']} hits of the probe")
        assert program.quit() == 0


main()
