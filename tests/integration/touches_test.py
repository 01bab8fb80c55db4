#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who touches the very objects that goroutines wait on which are stuck: told by function and operation, also where
nobody is woken by it. Not told is what is done to other objects of the same types, nor that more come to wait.

    touches_test.py GO_VERSION [stripped] [pie] [cgo]
"""

import sys
import time

import builds
import harness
from daemon import SUSPICIOUS, Daemon, need_root

# Started by: {(function, operation)}.
TOUCHES = {
    "main.takers": {("main.offer", "send")},
    "main.givers": {("main.offer", "send"), ("main.take", "receive")},
    "main.choosers": {("main.choose", "select send")},
    "main.lockers": {("main.unlock", "unlock")},
    "main.sleepers": {("main.wake", "signal")},
    "main.ranges": {("main.end", "close")},
    "main.waiters": {("main.finish", "done")},
}


def touches(leak):
    return {(by["stack"][0]["function"], by["operation"]) for by in leak["touched_by"]}


def main():
    need_root()
    version, *kinds = sys.argv[1:]
    exe = builds.build("touches", version, kinds)
    with harness.temp_dir() as folder, harness.Target(exe) as program, \
         Daemon(folder, [exe], mode="events", **SUSPICIOUS) as daemon:
        begin = time.time()
        deadline = time.monotonic() + 60
        while True:
            leaks = {leak["creation"]["function"]: leak for leak in daemon.leaks(program.pid)}
            seen = {start: touches(leaks[start]) for start in TOUCHES if start in leaks}
            if all(expected <= seen.get(start, set()) for start, expected in TOUCHES.items()):
                break
            assert time.monotonic() < deadline, seen
            program.command("work")
            time.sleep(0.25)
        for start, expected in TOUCHES.items():
            wrong = touches(leaks[start]) - expected
            assert not wrong, (start, wrong)
            assert leaks[start]["touches_watched_seconds"] > 0, start
            for by in leaks[start]["touched_by"]:
                assert begin - 1 < by["last"] <= time.time(), (start, by)
                assert by["stack"][0]["file"].endswith("touches/main.go"), (start, by)

        def told():
            text = daemon.get("/api/v1/leaks?format=text")
            return all(words in text for words in ("touched by close, ", " select send, ", " unlock, "))

        harness.wait_for(told, 10, "all that in the text")
        probes = {probe["name"]: probe["hits"] for probe in daemon.target(program.pid)["probes"]}
        print(f"{sum(map(len, TOUCHES.values()))} ways told, of {probes['send']} sends, {probes['receive']} receives, "
              f"{probes['select']} selects, {probes['acquire'] + probes['release']} of semaphores")
        assert program.quit() == 0


main()
