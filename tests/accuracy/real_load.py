# SPDX-License-Identifier: Apache-2.0
"""Servers that others have released, as they are in use: configured to do something, visited by tests/targets/clients, whose
connections come and go, stay and break off, and told now and then to read their configuration again."""

import collections
import contextlib
import dataclasses
import json
import os
import signal
import time
import urllib.request

import real_programs  # first: it makes the modules of tests/integration known
import harness

# In minutes, as -minute of the clients has them.
RESTART_EVERY = 3
RELOAD_EVERY = 4
IDLE_COME_WITHIN = 10


@dataclasses.dataclass
class Neighbours:
    """Those that servers use."""

    upstream: str  # HOST:PORT of tests/targets/upstream
    metrics: list  # HOST:PORT of servers that have /metrics
    alertmanagers: list  # HOST:PORT


@dataclasses.dataclass
class Kind:
    """How a server of some package is put to use."""

    clients: str  # how tests/targets/clients calls it
    configure: object  # (its Command, its folder, Neighbours) -> Command
    reload: object = None  # (its Command, pid, folder, Neighbours, how many times before) -> None


def host_of(command):
    """HOST:PORT of its metrics."""
    return command.metrics.removesuffix("/metrics").removeprefix("http://")


def _as_is(command, _folder, _neighbours):
    return command


# --- What each is told to do -----------------------------------------------------------------------------------------


def _nats(command, folder, _):
    return dataclasses.replace(command, argv=[*command.argv, "-js", "-sd", folder / "streams"])


def _caddyfile(command, folder, neighbours, times):
    return f"""{{
	admin {host_of(command)}
	auto_https off
}}
http://{command.address} {{
	header X-Times {times}
	handle_path /up/* {{
		reverse_proxy {neighbours.upstream}
	}}
	handle_path /files/* {{
		root * {folder}/files
		encode gzip
		file_server
	}}
	handle {{
		respond hello
	}}
}}
"""


def _caddy(command, folder, neighbours):
    return dataclasses.replace(command, files={"Caddyfile": _caddyfile(command, folder, neighbours, 0), "files/page.txt": "a page\n" * 4000})


def _reload_caddy(command, _, folder, neighbours, times):
    """By its own way: the new text is posted to it."""
    url = command.metrics.replace("/metrics", "/load")
    text = _caddyfile(command, folder, neighbours, times)
    with urllib.request.urlopen(urllib.request.Request(url, text.encode(), {"Content-Type": "text/caddyfile"}), timeout=30):
        pass


_RULES = {"groups": [{"name": "all", "interval": "5s", "rules": [
    {"record": "job:up:sum", "expr": "sum by (job) (up)"},
    {"record": "job:allocated:rate1m", "expr": "sum by (job) (rate(go_memstats_alloc_bytes_total[1m]))"},
    {"alert": "Up", "expr": "up == 1", "labels": {"severity": "none"}}]}]}


def _prometheus_yml(own, neighbours, times):
    """Every second time, half of those that it scrapes are gone."""
    others = neighbours.metrics[::2] if times % 2 else neighbours.metrics
    return json.dumps({  # JSON is YAML
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s", "external_labels": {"times": str(times)}},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": neighbours.alertmanagers}]}]},
        "scrape_configs": [{"job_name": "self", "static_configs": [{"targets": [own]}]},
                           {"job_name": "others", "static_configs": [{"targets": others}]}]})


def _prometheus(command, _, neighbours):
    own = host_of(command)
    return dataclasses.replace(command, address=own, files={
        "prometheus.yml": _prometheus_yml(own, neighbours, 0), "rules.yml": json.dumps(_RULES)})


def _reload_prometheus(command, pid, folder, neighbours, times):
    (folder / "prometheus.yml").write_text(_prometheus_yml(command.address, neighbours, times), encoding="utf-8")
    os.kill(pid, signal.SIGHUP)


def _alertmanager(command, _folder, _neighbours):
    # By default it answers as many at a time as it has processors, and turns others away.
    return dataclasses.replace(command, argv=[*command.argv, "--web.get-concurrency=200"], address=host_of(command), files={
        "alertmanager.yml": json.dumps({
            "route": {"receiver": "nobody", "group_by": ["alertname"], "group_wait": "2s", "group_interval": "5s"},
            "receivers": [{"name": "nobody"}]})})


def _reload_by_signal(_command, pid, *_):
    os.kill(pid, signal.SIGHUP)


KINDS = {  # package
    "etcd-server": Kind("etcd", _as_is),
    "nats-server": Kind("nats", _nats),
    "caddy": Kind("caddy", _caddy, _reload_caddy),
    "prometheus-alertmanager": Kind("alertmanager", _alertmanager, _reload_by_signal),
    "prometheus": Kind("prometheus", _prometheus, _reload_prometheus),
}


# --- Its clients -----------------------------------------------------------------------------------------------------


class Clients(harness.Process):
    """A process of tests/targets/clients."""

    def tally(self):
        """The last that it has said: {"done": {what: times}, "failed": {what: times}, "error": the last one}."""
        lines = [line for line in self.output().splitlines() if line.startswith("{") and line.endswith("}")]
        return json.loads(lines[-1]) if lines else {"done": {}, "failed": {}, "error": ""}


class Visits:
    """All clients that a server has, one process after another, until stop()."""

    def __init__(self, who, minute, length, first_restart):
        """Who: [executable, what it calls the server, HOST:PORT]; minute and length in seconds; the first restart after so many
        minutes."""
        self.done, self.failed = collections.Counter(), collections.Counter()
        self.error = ""  # the last one
        self.restarts = 0
        self.died = []  # clients that ended by themselves: what they said
        self._exe, *self._where = who
        self._options = {"for": f"{1.5 * length + 300:.0f}s", "minute": f"{minute:.3f}s"}
        self._minute, self._length = minute, length
        self._began = time.monotonic()
        self._lives = {}  # mode: (ExitStack that ends it, Clients)
        self._next_restart = first_restart * minute
        self._gathered = False  # the idle ones have all come at once
        self._start("busy")
        self._start("idle", over=f"{min(IDLE_COME_WITHIN * minute, length / 3):.0f}s")

    def _start(self, mode, **more):
        life = contextlib.ExitStack()
        words = [f"-{name}={value}" for name, value in (self._options | more).items()]
        self._lives[mode] = life, life.enter_context(Clients([self._exe, *words, mode, *self._where]))

    def _end(self, mode, how):
        life, clients = self._lives.pop(mode)
        if not clients.running():
            self.died.append(clients.output()[-500:])
        elif how == signal.SIGKILL:
            clients.signal(how)
            clients.wait()
        clients.stop()
        tally = clients.tally()
        self.done.update(tally["done"])
        self.failed.update(tally["failed"])
        self.error = tally["error"] or self.error
        life.close()

    def tend(self):
        """To be called about once a second. Busy clients are ended in good order and by a kill in turn; the idle ones break off once,
        and come back all at once."""
        age = time.monotonic() - self._began
        if age >= self._next_restart:
            self._next_restart += RESTART_EVERY * self._minute
            self._restart("busy", signal.SIGKILL if self.restarts % 2 else signal.SIGTERM)
        if age >= self._length * 2 / 3 and not self._gathered:
            self._gathered = True
            self._restart("idle", signal.SIGKILL, over="0s")

    def _restart(self, mode, how, **more):
        self._end(mode, how)
        self._start(mode, **more)
        self.restarts += 1

    def stop(self):
        for mode in list(self._lives):
            self._end(mode, signal.SIGTERM)

    def faults(self):
        """What shows that the load did not arrive as it was meant to."""
        found = [f"its clients ended: {said}" for said in self.died]
        if silent := sorted(what for what, times in self.done.items() if not times):
            found.append(f"never answered: {', '.join(silent)} ({self.error})")
        if not self.done:
            found.append("nothing was asked")
        if 20 * self.failed.total() > self.done.total():
            found.append(f"{self.failed.total()} of {self.done.total()} requests failed ({self.error})")
        return found
