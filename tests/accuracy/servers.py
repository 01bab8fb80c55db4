#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether goleakd leaves real servers in peace while they are in use: etcd, nats-server, caddy, Prometheus and Alertmanager as Debian
releases them, in several versions.

    servers.py [--quick | --window DURATION] [--for DURATION] [NAME…]

All run side by side under one goleakd with its default configuration, each with clients of its own, whose connections come and go, stay,
become more and break off (tests/targets/clients). --quick does it with those that scripts/setup --test unpacks and a shorter clock.
NAME is a package, or a package and a suite with a hyphen between them. Exits with 0 only if there was no alert, and the load has arrived.
"""

import argparse
import contextlib
import dataclasses
import pathlib
import re
import subprocess
import sys
import time

import real_programs  # first: it makes the modules of tests/integration known
import harness
import leak_check
import real_load
import watching
from daemon import Daemon, need_root
from tables import table

HOW_LONG = 30 * 60
HOW_LONG_QUICK = 90


class Server:
    """One that runs until close(), and all that was seen of it."""

    def __init__(self, program, folder, neighbours):
        self.program = program
        self.key = key_of(program)
        self.kind = real_load.KINDS[program.name]
        self.folder, self.neighbours = folder, neighbours
        configured = dataclasses.replace(program, command=lambda folder: self.kind.configure(program.command(folder), folder, neighbours))
        self.begun = time.monotonic()
        self.running = real_programs.Running(configured, folder, seconds=120)  # many start at once
        self.visits = None
        self.reloads = 0
        self._minute = 60
        self.sightings = leak_check.Sightings()
        self.go, self.least, self.most = "?", None, None
        self.looks = self.with_events = self.with_all = 0
        self.wrong = []

    @property
    def pid(self):
        return self.running.pid

    @property
    def process(self):
        return self.running.process

    def saw(self, target, age):
        self.sightings.add(target["leaks"], age)
        self.go = target["go_version"].removeprefix("go")
        self.looks += 1
        self.with_events += target["mode"] == "events"
        self.with_all += target["mode"] == "events" and not target["mode_reason"]
        if (number := target["goroutines"]) is not None:
            self.least = min(number, self.least if self.least is not None else number)
            self.most = max(number, self.most or 0)

    def visit(self, clients, minute, length, place):
        """Lets its clients come, of that executable; the place among all servers says when they are restarted first."""
        self._minute = minute
        self.visits = real_load.Visits([clients, self.kind.clients, self.running.command.address], minute, length, 2 + place % 3 / 2)

    def tend(self):
        self.visits.tend()
        if self.kind.reload and time.monotonic() - self.begun > (self.reloads + 1) * real_load.RELOAD_EVERY * self._minute:
            self.reloads += 1
            self.kind.reload(self.running.command, self.pid, self.folder, self.neighbours, self.reloads)

    def alerts(self):
        return [seen for seen in self.sightings.leaking() if seen.alert]

    def close(self):
        if self.visits:
            self.visits.stop()
        self.running.__exit__(None, None, None)


def key_of(program):
    return f"{program.name}-{program.source}"


def choose(quick, wanted):
    programs = real_programs.few_programs() if quick else real_programs.programs()
    programs = [program for program in programs if program.name in real_load.KINDS and program.source != "npm"]
    if unknown := set(wanted) - {name for program in programs for name in (program.name, key_of(program))}:
        sys.exit(f"no server {', '.join(sorted(unknown))}")
    # Prometheus last: it scrapes the others.
    return sorted((program for program in programs if not wanted or program.name in wanted or key_of(program) in wanted),
                  key=lambda program: list(real_load.KINDS).index(program.name))


def start_all(programs, folder, upstream, running):
    """Those that run, in that order, each ended with the ExitStack `running`."""
    neighbours = real_load.Neighbours(upstream.url.removeprefix("http://"), [], [])
    servers = []
    for program in programs:
        own = pathlib.Path(folder) / key_of(program)
        own.mkdir()
        server = Server(program, own, neighbours)
        running.callback(server.close)
        servers.append(server)
        command = server.running.command
        if command.metrics and program.name != "prometheus":
            neighbours.metrics.append(real_load.host_of(command))
        if program.name == "prometheus-alertmanager":
            neighbours.alertmanagers.append(command.address)
    return servers


def version_of(program):
    shown = subprocess.run([program.exe, "version" if program.name == "caddy" else "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+\.\d+", shown.stdout + shown.stderr)
    return found[0] if found else "?"


def run(programs, window, seconds):
    """The servers, after it."""
    minute = watching.minute_of(window)
    paths = {key_of(program): program.exe for program in programs}
    upstream, clients = (harness.build_target(name, harness.go_versions()[-1]) for name in ("upstream", "clients"))
    with harness.temp_dir() as folder, contextlib.ExitStack() as running:
        daemon = running.enter_context(Daemon(folder, [], **watching.settings(window, paths)))
        behind = running.enter_context(harness.Server(upstream, f"-minute={minute:.3f}s"))
        servers = start_all(programs, folder, behind, running)
        for place, server in enumerate(servers):
            server.visit(clients, minute, seconds, place)
        progress(f"watching {len(servers)} servers for {seconds:.0f} s")
        watching.watch(daemon, servers, seconds, meanwhile=lambda: tend(servers))
        neglected = watching.neglected(daemon, servers)
        for server in servers:
            if server.key in neglected:
                server.wrong.append(neglected[server.key])
            server.visits.stop()
            server.wrong += server.visits.faults()
    return servers


def tend(servers):
    for server in servers:
        try:
            server.tend()
        except OSError as failure:  # one that has died: the others go on
            server.wrong.append(str(failure))


def progress(text):
    print(f"[servers] {text}", file=sys.stderr, flush=True)


def result(server):
    wrong = [*server.wrong, *(f"false alert: {seen.text()}" for seen in server.alerts())]
    return "FAIL: " + "; ".join(" ".join(text.split())[:160] for text in wrong) if wrong else "ok"


def senses(server):
    """The share of the time in which spawns and exits were probed, and parks too; snapshots are taken all the time."""
    spawns, parks = (100 * looks // max(server.looks, 1) for looks in (server.with_events, server.with_all))
    return f"events {spawns} %, parks {parks} %"


def show(servers):
    table("Servers in use", ["program", "of Debian", "Go", "requests", "client restarts", "reloads", "goroutines", "alerts",
                             "as information", "seen by", "result"],
          [[f"{server.program.name} {version_of(server.program)}", server.program.source, server.go, f"{server.visits.done.total():,}",
            str(server.visits.restarts), str(server.reloads) if server.kind.reload else "–", f"{server.least} to {server.most}",
            str(len(server.alerts())), "; ".join(seen.text() for seen in server.sightings.leaking() if not seen.alert) or "–",
            senses(server), result(server)] for server in servers])


def explain(server):
    """To who repairs it: everything that was wrong, whole."""
    for text in server.wrong:
        print(f"\n{server.key}: {text}", file=sys.stderr)
    for seen in server.alerts():
        leak = seen.leak
        print(f"\n{server.key}: {seen.text()}, {seen.worst} after {seen.leaking_after:.0f} s: {leak['reasoning']}", file=sys.stderr)
        for frame in [*leak["stack"], leak["creation"]]:
            print(f"  {frame['function']}  {frame['file']}:{frame['line']}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"with a window of {watching.QUICK_WINDOW} s, and few servers, for CI")
    parser.add_argument("--window", type=watching.seconds_of, default=watching.WINDOW, help="of growth (default: 5m, as goleakd's)")
    parser.add_argument("--for", dest="watched", type=watching.seconds_of,
                        help=f"how long (default: {HOW_LONG // 60}m; {HOW_LONG_QUICK}s with --quick)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    options = parser.parse_args()
    need_root()
    programs = choose(options.quick, options.names)
    window = watching.QUICK_WINDOW if options.quick else options.window
    servers = run(programs, window, options.watched or (HOW_LONG_QUICK if options.quick else HOW_LONG))
    show(servers)
    failed = [server for server in servers if result(server) != "ok"]
    for server in failed:
        explain(server)
    print(f"\n{len(servers) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
