#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who wakes whom: of goroutines that wait as a suspect's do, started in the same place, it is seen by which function of the
program, and by which operation, others are let go; and that nobody does where nobody does.

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


def suspects(daemon, pid):
    return {leak["creation"]["function"]: leak for leak in daemon.leaks(pid)}


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
            time.sleep(0.2)
        for start, (partner, operation) in PARTNERS.items():
            for by in leaks[start]["woken_by"]:
                assert by["operation"] == operation, (start, by)
                assert by["stack"][0]["function"] == partner, (start, by)
                assert begin - 1 < by["last"] <= time.time(), (start, by)
        assert leaks["main.silence"]["woken_by"] == []

        def told():
            text = daemon.get("/api/v1/leaks?format=text")
            return "woken by   close, " in text and "woken by   nobody, while" in text

        harness.wait_for(told, 10, "all that in the text")
        waker = next(probe for probe in daemon.target(program.pid)["probes"] if probe["name"] == "waker")
        print(f"{len(PARTNERS)} kinds of wakes told by function and operation, {waker['hits']} hits of the probe")
        assert program.quit() == 0


main()
