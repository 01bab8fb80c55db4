# SPDX-License-Identifier: Apache-2.0
"""A goleakd under test: its configuration, its socket, its metrics."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import time

import harness

# For a program that leaks a few goroutines a second to be suspected within seconds, also where looks are dear: the ceiling
# of their CPU time would stretch them.
SUSPICIOUS = {"thresholds": {"quiet_after_start": "0s", "growing_window": "3s", "growing_intervals": 3, "growing_rises": 2},
              "snapshots": {"interval": "300ms", "interval_with_suspects": "300ms", "max_cpu": 0.5}}
GOLEAKD = pathlib.Path(os.environ.get("GOLEAKD", harness.REPOSITORY / "build" / "goleakd"))


def need_root():
    if os.geteuid() != 0:
        harness.skip("uprobes and other users' processes need root")


def goleakd(*arguments, timeout=60, **options):
    """Runs a command to its end."""
    return subprocess.run([GOLEAKD, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False,
                          **options)


def bpf_links():
    """All that the kernel has, whoever holds them."""
    listed = subprocess.run(["bpftool", "-j", "link", "show"], capture_output=True, text=True, check=True)
    return json.loads(listed.stdout)


def links_of_probes():
    return [link for link in bpf_links() if link["type"] in ("uprobe_multi", "perf_event")]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Daemon(harness.Process):
    """`goleakd run` over the given executables; stands until the end of the `with` block."""

    def __init__(self, folder, executables, prefix=(), **settings):
        self.socket = pathlib.Path(folder) / "goleakd.sock"
        self.port = harness.free_port()
        config = {"listen": f"127.0.0.1:{self.port}", "socket": str(self.socket),
                  "targets": {"include": [str(exe) for exe in executables]},
                  "history": {"path": str(pathlib.Path(folder) / "history.db")}, **settings}
        path = pathlib.Path(folder) / "goleakd.yaml"
        path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        super().__init__([*prefix, GOLEAKD, "run", "--config", path])
        try:
            self.await_output("is watching")
        except BaseException:
            self.stop()
            raise

    def get(self, target):
        connection = _UnixConnection(self.socket)
        with contextlib.closing(connection):
            connection.request("GET", target)
            response = connection.getresponse()
            body = response.read().decode()
            if response.status != 200:
                raise RuntimeError(f"GET {target}: {response.status} {body}")
            return body

    def leaks(self, pid):
        """Of one process, suspects too."""
        return [leak for target in self.api("leaks")["targets"] if target["pid"] == pid for leak in target["leaks"]]

    def api(self, name):
        return json.loads(self.get(f"/api/v1/{name}"))

    def target(self, pid):
        """Of /api/v1/targets, or None."""
        return next((target for target in self.api("targets")["targets"] if target["pid"] == pid), None)

    def sites(self, pid):
        """Of /api/v1/sites: the creation sites of that process."""
        return [site for site in self.api("sites")["sites"] if site["pid"] == pid]

    def site(self, pid, function):
        """The first creation site in that function, or None."""
        return next((site for site in self.sites(pid) if site["function"] == function), None)

    def await_exact(self, pid, seconds=30):
        """Waits until events are complete and a snapshot has told what lived before."""

        def exact():
            sites = self.sites(pid)
            return sites and all(site["spawned"] is not None for site in sites)

        harness.wait_for(exact, seconds, "exact counts")

    def await_snapshots(self, pid, number):
        """So many more. The first of them may have begun before this call."""
        wobble = 0.1  # each report relates the clocks anew; snapshots are further apart

        def newest():
            return (self.target(pid) or {}).get("snapshot_at") or 0

        for _ in range(number):
            before = newest()
            harness.wait_for(lambda at=before: newest() > at + wobble, 30, "another snapshot")

    def expect(self, pid, function, **numbers):
        """Of the creation site in that function."""
        self.expect_sites(pid, {function: numbers})

    def expect_sites(self, pid, numbers):
        """{function: {"spawned": …}}. Events are drained on a timer: waits for the numbers, then they must stay."""

        def differing():
            sites = {function: self.site(pid, function) for function in numbers}
            return {function: (expected, sites[function]) for function, expected in numbers.items()
                    if not sites[function] or any(sites[function][name] != number for name, number in expected.items())}

        try:
            harness.wait_for(lambda: not differing(), 10, str(numbers))
        except TimeoutError:
            raise AssertionError(f"expected, and found: {differing()}") from None
        time.sleep(1.2)
        assert not differing(), f"expected, and found a while later: {differing()}"

    def links(self):
        """The ids of the BPF links that it holds."""
        ids = set()
        for path in pathlib.Path(f"/proc/{self.pid}/fdinfo").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                ids.update(map(int, re.findall(r"^link_id:\s*(\d+)", path.read_text(encoding="ascii"), re.MULTILINE)))
        return ids

    def metrics(self):
        return self.get("/metrics")

    def metric(self, name, **labels):
        """The sum of all samples of that name with those labels."""
        total = None
        for line in self.metrics().splitlines():
            found = re.match(r"([a-z_]+)(?:\{(.*)\})? (\S+)$", line)
            if not found or found[1] != name:
                continue
            present = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[2] or ""))
            if all(present.get(key) == value for key, value in labels.items()):
                total = (total or 0) + float(found[3])
        return total
