#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that were optimised by a profile (PGO, golang/go#74045): the compiler has inlined the very functions that goleakd
probes, and the calls by which it sees the rest. That is recognised and said, other places are taken, and the counts are
the program's own; where no place is left, snapshots go on, and it is said why.

    pgo_test.py GO_VERSION...
"""

import json
import subprocess
import sys

import builds
import harness
from daemon import Daemon, goleakd, need_root
from exact import SITE, check, exercise


def symbols(exe):
    listed = subprocess.run(["nm", exe], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1] for line in listed.splitlines()}


def probes(exe):
    """[{"probe", "function", "instruction", "reason", …}] and the groups that are refused."""
    checked = goleakd("check", "--probes", exe, "--format", "json")
    table = json.loads(checked.stdout)
    assert checked.returncode == (3 if table["refused"] else 0), checked
    return table["probes"], table["refused"]


def places(rows, probe):
    return {(row["function"], row["instruction"]) for row in rows if row["probe"] == probe}


def check_said(rows, probe, function):
    for row in rows:
        if row["probe"] == probe and row["reason"].startswith(f"{function} was inlined into runtime."):
            return
    raise AssertionError(f"{function} was inlined, which {probe} does not say: {rows}")


def copies(version, exe):
    """Everything that is probed stands where it was called."""
    left = symbols(exe)
    for function in ("runtime.gopark", "runtime.gdestroy", "runtime.newproc1"):
        assert function not in left, f"Go {version} has not inlined {function} everywhere: this would prove nothing"
    rows, refused = probes(exe)
    assert not refused, refused
    assert places(rows, "park") == {("runtime.park_m", "push %rbp")}, rows
    check_said(rows, "park", "runtime.gopark")
    exits = places(rows, "exit")
    assert ("runtime.goexit0", "call runtime.casgstatus") in exits, rows
    assert "runtime.gdestroy" not in {function for function, _ in exits}, rows
    check_said(rows, "exit", "runtime.gdestroy")
    hosts = {function for function, _ in places(rows, "unpark")} - {"runtime.ready", "runtime.findRunnable"}
    assert hosts, f"Go {version} has inlined neither ready nor injectglist: {rows}"
    called = "runtime.casgstatus" if int(version.split(".")[1]) >= 24 else "runtime.runqput"
    assert ("runtime.newproc.func1", f"call {called}") in places(rows, "spawn"), rows


def calls(version, exe):
    """park_m, ready and newproc1 call casgstatus no more."""
    rows, refused = probes(exe)
    assert not refused, refused
    check_said(rows, "park", "runtime.gopark")
    assert places(rows, "park") == {("runtime.park_m", "push %rbp")}, rows
    assert ("runtime.ready", "push %rbp") in places(rows, "unpark"), rows
    if int(version.split(".")[1]) >= 24:
        check_said(rows, "spawn", "runtime.casgstatus")
    assert places(rows, "spawn") == {("runtime.newproc.func1", "call runtime.runqput")}, rows


def check_counts(folder, exe):
    with Daemon(folder, [exe], mode="events", snapshots={"interval": "300ms"}) as daemon, harness.Target(exe) as counts:
        daemon.await_exact(counts.pid)
        since = counts.counts()
        exercise(counts)
        own = check(daemon, counts, since)
        counts.command("release")
        hits = {probe["name"]: probe["hits"] for probe in daemon.target(counts.pid)["probes"]}
        assert counts.quit() == 0
        return f"{own}; hits {hits}"


def check_refused(folder, version, exe):
    """Nothing is guessed."""
    _, refused = probes(exe)
    assert len(refused) == 3 and all(" was inlined into runtime." in reason or "not probed" in reason
                                     for reason in refused), f"Go {version}: {refused}"
    with Daemon(folder, [exe], mode="events", snapshots={"interval": "300ms"}) as daemon, harness.Target(exe) as counts:
        counts.command("spawn 100")
        harness.wait_for(lambda: (daemon.site(counts.pid, SITE) or {}).get("live") == 100, 20, "100 workers by snapshots")
        target = daemon.target(counts.pid)
        assert target["mode"] == "snapshots" and " was inlined into " in target["mode_reason"], target
        assert daemon.site(counts.pid, SITE)["spawned"] is None
        counts.command("release")
        harness.wait_for(lambda: daemon.site(counts.pid, SITE) is None, 20, "the workers' end")
        assert counts.quit() == 0
        return target["mode_reason"]


def main():
    need_root()
    for version in sys.argv[1:]:
        for look in (copies, calls):
            look(version, builds.build("counts", version, [look.__name__]))
            with harness.temp_dir() as folder:
                told = check_counts(folder, builds.build("counts", version, [look.__name__, "stripped"]))
            print(f"Go {version}, {look.__name__}: {told}", flush=True)
        with harness.temp_dir() as folder:
            told = check_refused(folder, version, builds.build("counts", version, ["everything", "stripped"]))
        print(f"Go {version}, everything: refused, {told}", flush=True)


main()
