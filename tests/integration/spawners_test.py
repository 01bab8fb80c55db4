#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who starts a suspect's goroutines is caught in the act: the stacks behind its `go` statement are those that the program itself
sees there, however it was reached, inlined functions included; and the probe comes off when they are known.

    spawners_test.py GO_VERSION [stripped] [pie] [cgo]
"""

import json
import sys
import time

import builds
import harness
from daemon import SUSPICIOUS, Daemon, need_root


def suspect(daemon, pid):
    return next((leak for leak in daemon.leaks(pid) if leak["creation"]["function"] == "main.start"), None)


def known(stack):
    """As frames compare: the line of the first one is the program's look in its own words, and the `go` statement in ours."""
    return (stack[0]["function"], *((frame["function"], frame["file"], frame["line"]) for frame in stack[1:]))


def main():
    need_root()
    version, *kinds = sys.argv[1:]
    exe = builds.build("callers", version, kinds)
    with harness.temp_dir() as folder, harness.Target(exe) as callers, \
         Daemon(folder, [exe], **SUSPICIOUS) as daemon:
        deadline = time.monotonic() + 60
        while not (leak := suspect(daemon, callers.pid)) or sum(way["times"] for way in leak["spawned_from"]) < 5:
            assert time.monotonic() < deadline, leak
            callers.command("leak 2")
            time.sleep(0.2)
        own = {known([dict(zip(("function", "file", "line"), frame)) for frame in way])
               for way in json.loads(callers.command("callers"))}
        assert len(own) == 5, own
        seen = {known(way["stack"]): way["times"] for way in leak["spawned_from"]}
        assert seen.keys() <= own, (seen, own)
        assert len(seen) >= 4, seen  # five in a row, of which the first may be any

        def spawner():
            target = daemon.target(callers.pid)
            return next(probe for probe in target["probes"] if probe["name"] == "spawner")

        harness.wait_for(lambda: not spawner()["attached"], 20, "the probe to come off")
        hits = spawner()["hits"]
        callers.command("leak 50")
        time.sleep(1.5)
        assert spawner()["hits"] == hits, "it still counts"
        text = daemon.get("/api/v1/leaks?format=text")
        assert "called by" in text and "main.(*server).handle" in text, text
        print(f"{len(seen)} ways of {len(own)} in {sum(seen.values())} executions, {hits} hits")
        assert callers.quit() == 0


main()
