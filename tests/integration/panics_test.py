#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Panics that are recovered are counted as the program itself counts them, with the type, the text, the function and the line, in
every way in which Go panics; and programs that die are incidents that say what they said, when they have long ended.

    panics_test.py GO_VERSION [stripped] [pie] [cgo] [perf_event]
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import sys
import time

import builds
import harness
from daemon import Daemon, goleakd, need_root

FAILURES = ("panic", "recover", "fatalpanic", "fatal", "throw")
GIVEN_UP = ("goexit", "looks")  # ways that nobody goes on after
MEMORY = pathlib.Path("/sys/fs/cgroup")


KINDS = sys.argv[2:]


def watch(folder, exe, **settings):
    if "perf_event" in KINDS:
        settings["probes"] = {"method": "perf_event"}
    return Daemon(folder, [exe], snapshots={"interval": "1s"}, **settings)


def await_probes(daemon, pid, names=FAILURES):
    def attached():
        probes = {probe["name"]: probe["attached"] for probe in (daemon.target(pid) or {}).get("probes", [])}
        return probes and all(probes[name] for name in names)

    harness.wait_for(attached, 30, f"the probes {names} of process {pid}")


# --- Recovered --------------------------------------------------------------------------------------------------------


def panics_of(daemon, pid):
    return next(target for target in daemon.api("panics")["targets"] if target["pid"] == pid)


def check_counts(daemon, panics):
    """All that goleakd says of its panics is what the program says."""
    own = json.loads(panics.command("totals"))
    expected = {(kind, function, line, text): times for kind, function, line, text, times in own["sites"]}

    def seen():
        told = panics_of(daemon, panics.pid)
        return (told["panics"], told["recovered"], told["unattributed"],
                {(site["kind"], site["function"], site["line"], site["text"]): site["recovered"] for site in told["sites"]
                 if site["recovered"]})

    wanted = (own["panics"], own["recovered"], 0, expected)
    with contextlib.suppress(TimeoutError):
        harness.wait_for(lambda: seen() == wanted, 10, "counts")
    for name, told, truth in zip(("panics", "recovered", "unattributed", "sites"), seen(), wanted):
        assert told == truth, f"{name}: {told}, and the program says {truth}"
    told = panics_of(daemon, panics.pid)
    assert sum(site["panics"] for site in told["sites"]) == own["panics"], told
    for site in told["sites"]:
        assert any(frame["function"] == "main.main" or frame["function"].startswith("main.") for frame in site["stack"]), site
    return own


def recovered(folder, exe):
    with harness.Target(exe) as panics, watch(folder, exe, mode="events") as daemon:
        await_probes(daemon, panics.pid)
        ways = sorted(panics.command("kinds").split())
        for way in ways:
            before = json.loads(panics.command("totals"))
            panics.command(f"panic {way} 3")
            after = json.loads(panics.command("totals"))
            assert after["panics"] > before["panics"], way
            assert (after["recovered"] > before["recovered"]) == (way not in GIVEN_UP), way
            time.sleep(0.1)  # let them be drained: 1,200 at once are not what the ring is made for
        own = check_counts(daemon, panics)
        panics.command("panic parallel 5")
        own = check_counts(daemon, panics)
        exported = sum(times for *_, times in own["sites"])
        harness.wait_for(lambda: daemon.metric("goleakd_recovered_panics_total", app="panics") == exported, 10, "metrics")
        assert daemon.metric("goleakd_recovered_panics_total", kind="*errors.errorString", panicked_in="main.fails")
        assert daemon.metric("goleakd_panic_sites_not_shown") == 0
        assert daemon.metric("goleakd_probe_hits_total", probe="panic") == own["panics"]
        assert daemon.metric("goleakd_incidents_total", app="panics", kind="panic") == 0
        target = daemon.target(panics.pid)
        assert target["losses"]["events_ring_full"] == target["losses"]["events_storm"] == 0, target["losses"]
        log = daemon.output()
        assert "a panic with a *errors.errorString in main.fails: no cart" in log, log
        assert "\x1b[31mof" not in log, "it writes what programs say as it is"
        assert panics.quit() == 0
        assert daemon.api("incidents")["incidents"] == []
    print(f"{own['panics']} panics in {len(ways)} ways, {own['recovered']} recovered, {len(own['sites'])} kinds: as the program "
          "says", flush=True)


def storm(folder, exe):
    """Panics as a habit: the probes come off, what is lost is counted, and the program's death is still seen."""
    with harness.Target(exe) as panics, watch(folder, exe) as daemon:
        await_probes(daemon, panics.pid)
        begin = time.monotonic()
        panics.command("panic error 200000", 120)
        took = time.monotonic() - begin
        daemon.await_output("panics are no longer probed: .*(storm|budget)")
        await_probes(daemon, panics.pid, ("fatalpanic", "fatal", "throw"))

        def settled():
            told, losses = panics_of(daemon, panics.pid), daemon.target(panics.pid)["losses"]
            return not told["attached"] and told["not_attached"] and (told, losses)

        told, losses = harness.wait_for(settled, 10, "the end of the probes")
        records = sum(site["panics"] + site["recovered"] for site in told["sites"]) + told["unattributed"]
        hits = told["panics"] + told["recovered"]
        # A recovery belongs to no site where the panic before it was lost.
        assert records + losses["events_ring_full"] + losses["events_storm"] == hits, (told, losses)
        death(daemon, panics, "error")
    print(f"{hits} hits of 400,000 in a storm, {losses['events_storm']} of them after the breaker; 200,000 panics took "
          f"{took:.1f} s", flush=True)


# --- Dead -------------------------------------------------------------------------------------------------------------


def incident_of(daemon, pid):
    return next((incident for incident in daemon.api("incidents")["incidents"] if incident["pid"] == pid), None)


def death(daemon, panics, how):
    """Lets it die, and gives the incident."""
    with contextlib.suppress(EOFError):
        raise RuntimeError(f"it did not die: {panics.command(f'die {how}')}")
    panics.wait()
    incident = harness.wait_for(lambda: incident_of(daemon, panics.pid), 10, f"the incident of {how}")
    assert incident["app"] == "panics", incident
    return incident


def said(output):
    """(death, text) of a program's last words; that of nested panics is the innermost one's."""
    fatal = re.findall(r"^fatal error: (.*)$", output, re.MULTILINE)
    if fatal:
        return "fatal", fatal[0]
    words = re.findall(r"^\t?panic: (.*)$", output, re.MULTILINE)[-1]
    return "panic", re.sub(r" \[recovered.*|^main\.\w+\(\"?|\"?\)$", "", words)


def check_death(daemon, exe, how, kind, function):
    with harness.Target(exe) as panics:
        await_probes(daemon, panics.pid)
        harness.wait_for(lambda: (daemon.target(panics.pid) or {}).get("snapshot_at"), 10, "a snapshot")
        incident = death(daemon, panics, how)
        death_kind, text = said(panics.output())
    assert incident["death"] == death_kind, (how, incident)
    if how == "long":
        assert incident["cut"] and len(incident["text"]) == 256 and incident["text"].startswith("\0" * 100), incident
    else:
        assert incident["text"] == text and not incident["cut"], (how, incident, panics.output())
    assert incident["kind"] == kind, (how, incident)
    stack = [frame["function"] for frame in incident["stack"]]
    assert not function or function in stack and incident["function"] == function, (how, incident)
    assert incident["last_look"]["goroutines"] >= 1, incident
    assert "runtime.main" in [site["function"] for site in incident["last_look"]["sites"]], incident


DEATHS = {  # how: type of the value, function on the stack
    "error": ("*fmt.wrapError", "main.fallsOnItsFace"),
    "custom": ("*main.failure", "main.custom"),
    "string": ("string", "main.text"),
    "long": ("string", "main.die"),
    "pointer": ("runtime.errorString", "main.pointer"),
    "elsewhere": ("*fmt.wrapError", "main.fallsOnItsFace"),
    "again": ("string", "main.replace.func1"),
    "recovered": ("*fmt.wrapError", "main.fallsOnItsFace"),
    "map": ("", "main.writeAtOnce.func1"),
    "unlock": ("", "main.die"),
    "overflow": ("", ""),
    "asleep": ("", ""),
}
if "cgo" in KINDS:
    del DEATHS["asleep"]  # a thread of C might wake them: Go does not notice


def dead(folder, exe):
    with watch(folder, exe) as daemon:
        for how, (kind, function) in DEATHS.items():
            check_death(daemon, exe, how, kind, function)
        panics = sum(kind != "" for kind, _ in DEATHS.values())
        totals = daemon.api("incidents")["totals"]["panics"]
        assert totals["panic"] == panics and totals["fatal"] == len(DEATHS) - panics, totals
        no_incident(daemon, exe)
        assert daemon.metric("goleakd_incidents_total", app="panics", kind="panic") == panics
        assert daemon.metric("goleakd_incidents_total", app="panics", kind="fatal") == len(DEATHS) - panics
        log = daemon.output()
        if "asleep" in DEATHS:
            assert re.search(r"error.* panics \(pid \d+\): died of a fatal error.*: all goroutines are asleep - deadlock!", log), log
        assert re.search(r"died of a panic with a \*fmt\.wrapError in main\.fallsOnItsFace \(\S+deaths\.go:\d+\): at last: nobody "
                         r"recovers", log), log
    print(f"{len(DEATHS)} deaths, each with its last words", flush=True)


def no_incident(daemon, exe):
    """Ends that somebody wanted."""
    before = len(daemon.api("incidents")["incidents"])
    for end in ("quit", "exit", signal.SIGTERM, signal.SIGKILL):
        with harness.Target(exe) as panics:
            await_probes(daemon, panics.pid)
            if end == "quit":
                assert panics.quit() == 0
            elif end == "exit":
                with contextlib.suppress(EOFError):
                    panics.command("die exit")
            else:
                panics.signal(end)
            panics.wait()
            daemon.await_output(rf"\(pid {panics.pid}\): ended")
    time.sleep(1.2)
    assert len(daemon.api("incidents")["incidents"]) == before, daemon.api("incidents")


def without_room(folder, exe):
    """Where nothing else may be probed, deaths are; where nothing is to be probed at all, nothing is."""
    with watch(folder, exe, budget={"max_overhead": 0.0001, "idle_cores": 0.001}) as daemon, harness.Target(exe) as panics:
        await_probes(daemon, panics.pid, ("fatalpanic", "fatal", "throw"))
        incident = death(daemon, panics, "error")
        assert incident["text"] == "at last: nobody recovers", incident
    with watch(folder, exe, mode="snapshots") as daemon, harness.Target(exe) as panics:
        harness.wait_for(lambda: (daemon.target(panics.pid) or {}).get("snapshot_at"), 10, "a snapshot")
        assert not any(probe["attached"] for probe in daemon.target(panics.pid)["probes"])
        assert panics_of(daemon, panics.pid)["not_attached"] == "the configuration asks for snapshots only"
        assert daemon.metric("goleakd_incidents_total", app="panics", kind="panic") is None, "nobody would know"
        assert panics.quit() == 0
    print("deaths are probed where nothing else is", flush=True)


# --- Out of memory ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def little_memory(pid, megabytes):
    """Puts the process into a control group with so much memory; gives why not, or nothing."""
    forms = ((MEMORY / "memory", "memory.limit_in_bytes"), (MEMORY, "memory.max"))
    reasons = []
    for parent, limit in forms:
        group = parent / f"goleakd-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError as error:
            reasons.append(str(error))
            continue
        try:
            if not (group / limit).exists():
                reasons.append(f"no {group / limit}")
                continue
            (group / limit).write_text(str(megabytes << 20), encoding="ascii")
            with contextlib.suppress(OSError):
                (group / "memory.swap.max").write_text("0", encoding="ascii")
            (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
            yield ""
            return
        finally:
            with contextlib.suppress(OSError):
                group.rmdir()
    yield "; ".join(reasons)


def out_of_memory(folder, exe):
    with watch(folder, exe) as daemon, harness.Target(exe) as panics, little_memory(panics.pid, 64) as why_not:
        if why_not:
            harness.skip(f"no control group limits memory: {why_not}")
        unavailable = daemon.api("incidents")["oom_kills_unavailable"]
        assert not unavailable, unavailable
        harness.wait_for(lambda: (daemon.target(panics.pid) or {}).get("snapshot_at"), 10, "a snapshot")
        incident = death(daemon, panics, "hog")
        assert panics.wait() == -signal.SIGKILL, panics.wait()
        assert incident["death"] == "out_of_memory" and incident["text"] == "", incident
        assert incident["last_look"]["goroutines"] >= 1, incident
        harness.wait_for(lambda: daemon.target(panics.pid) is None, 10, "its end")
        assert daemon.metric("goleakd_incidents_total", app="panics", kind="out_of_memory") == 1
        assert "killed by the kernel: out of memory" in daemon.output()
        no_incident(daemon, exe)
    print("killed by the kernel for want of memory: seen", flush=True)


def main():
    need_root()
    exe = builds.build("panics", sys.argv[1], [kind for kind in KINDS if kind != "perf_event"])
    checked = goleakd("check", "--probes", exe, "--format", "json")
    assert checked.returncode == 0, checked.stdout
    with harness.temp_dir() as folder:
        recovered(folder, exe)
        storm(folder, exe)
        dead(folder, exe)
        without_room(folder, exe)
        out_of_memory(folder, exe)


main()
