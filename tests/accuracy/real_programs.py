# SPDX-License-Identifier: Apache-2.0
"""Go programs as their makers release them, which scripts/setup --real has unpacked into the cache: how each is made to run
and come to rest."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import harness  # noqa: E402

REAL = harness.CACHE / "real"
# Every process that a program starts inherits this, so that none is left behind.
MARK = "GOLEAKD_REACH"


class NotHere(Exception):
    """It cannot be run on this machine, and why."""


@dataclass
class Command:
    """How to start a program in an empty folder."""

    argv: list
    ready: str = ""  # a URL that answers when it serves
    address: str = ""  # HOST:PORT, where its clients come
    metrics: str = ""  # a URL with go_goroutines among what it answers
    pprof: str = ""  # a URL whose answer is its own goroutine profile of debug=2
    files: dict = field(default_factory=dict)  # to be written first
    before: list = field(default_factory=list)  # commands to be run first
    watched: str = ""  # the executable to look at, when it is not argv[0] but one that this starts


@dataclass
class Program:
    name: str
    source: str  # a Debian suite, or "npm"
    exe: pathlib.Path
    command: Callable[[pathlib.Path], Command]
    form: str  # of builds.FORMS


class Running:
    """A program that runs until the end of the `with` block, with all that it has started."""

    def __init__(self, program, folder, seconds=30):
        """It must serve within so many seconds."""
        if not program.exe.exists():
            raise NotHere(_why_absent(program))
        self.command = program.command(folder)
        for name, text in self.command.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        self._mark = uuid.uuid4().hex
        environment = {MARK: self._mark, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder),
                       "NO_COLOR": "1", "DO_NOT_TRACK": "1"}
        for argv in self.command.before:
            subprocess.run(argv, cwd=folder, check=True, capture_output=True, env={**os.environ, **environment})
        # Standard input is held open: some end with it.
        self.process = harness.Process(["env", "-C", folder, *self.command.argv], stdin=subprocess.PIPE, env=environment)
        try:
            self.pid = harness.wait_for(lambda: self._look(program), seconds, f"{program.name} to run")
        except BaseException:
            self._end()
            raise

    def _look(self, program):
        """The pid to look at, once it serves."""
        if not self.process.running():
            reason = self.process.output().strip().splitlines()
            raise NotHere("does not run here: " + (reason[-1] if reason else "no output"))
        if self.command.ready:
            try:
                harness.http_get(self.command.ready)
            except OSError:
                return None
        exe = self.command.watched or str(program.exe)
        return next((pid for pid in self._marked() if _exe(pid) == exe), None)

    def _marked(self):
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if f"{MARK}={self._mark}".encode() in path.read_bytes().split(b"\0"):
                    yield int(path.parent.name)

    def crash(self):
        """Makes it die with a traceback of all its goroutines, the runtime's own too, and returns all that it has printed."""
        os.kill(self.pid, signal.SIGABRT)
        harness.wait_for(lambda: _exe(self.pid) is None, 30, "the program to die")
        time.sleep(0.2)  # who passes its output on may be a little behind
        return self.process.output()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        self.process.stop()
        for pid in self._marked():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _exe(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None


def _why_absent(program):
    if program.source == "npm" and not shutil.which("npm"):
        return "no npm on this machine"
    return f"not in {REAL}; run: scripts/setup --real"


# --- Servers of Debian -----------------------------------------------------------------------------------------------


def _url(path):
    return f"http://127.0.0.1:{harness.free_port()}{path}"


def _address(url):
    return url.removeprefix("http://")


def _serves(base, argv, metrics="/metrics", pprof="/debug/pprof/goroutine?debug=2", **more):
    return Command(argv, ready=base + (metrics or pprof), metrics=metrics and base + metrics, pprof=base + pprof, **more)


def etcd(exe, folder):
    client, peer = _url(""), _url("")
    return _serves(client, [exe, "--data-dir", folder / "data", "--listen-client-urls", client, "--advertise-client-urls", client,
                            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                            "--initial-cluster", f"default={peer}", "--enable-pprof"], address=_address(client))


def nats_server(exe, _):
    profile, port = _url(""), harness.free_port()
    return _serves(profile, [exe, "--addr", "127.0.0.1", "--port", port, "--profile", profile.rpartition(":")[2]], metrics="",
                   address=f"127.0.0.1:{port}")


def caddy(exe, folder):
    admin, site = _url(""), _url("")
    text = f"{{\n\tadmin {_address(admin)}\n\tauto_https off\n}}\n{site} {{\n\trespond hello\n}}\n"
    return _serves(admin, [exe, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"], files={"Caddyfile": text},
                   address=_address(site))


def prometheus(exe, folder):
    base = _url("")
    return _serves(base, [exe, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                          f"--web.listen-address={base.removeprefix('http://')}"], files={"prometheus.yml": "global: {}\n"})


# Debian's build reads a template from a fixed place, which it is given in a mount namespace of its own.
_WITH_TEMPLATES = ('mount -t tmpfs none /usr/share && mkdir /usr/share/prometheus && '
                   'ln -s "$0" /usr/share/prometheus/alertmanager && exec "$@"')


def alertmanager(exe, folder):
    base = _url("")
    templates = exe.parents[1] / "share/prometheus/alertmanager"
    return _serves(base, ["unshare", "--mount", "sh", "-c", _WITH_TEMPLATES, templates, exe,
                          f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
                          "--cluster.listen-address=", f"--web.listen-address={base.removeprefix('http://')}"],
                   files={"alertmanager.yml": "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"})


def node_exporter(exe, _):
    base = _url("")
    return _serves(base, [exe, f"--web.listen-address={base.removeprefix('http://')}"])


def victoria_metrics(exe, folder):
    base = _url("")
    return _serves(base, [exe, f"-httpListenAddr={base.removeprefix('http://')}", f"-storageDataPath={folder}/data"])


# --- Programs that are published on npm ------------------------------------------------------------------------------


def esbuild(exe, folder):
    base = _url("/")
    return Command([exe, "--serve=" + base.removeprefix("http://").rstrip("/"), f"--servedir={folder}"], ready=base)


def lefthook(exe, _):
    return Command([exe, "run", "hold"], files={"lefthook.yml": "hold:\n  commands:\n    hold:\n      run: sleep 600\n"},
                   before=[["git", "init", "-q", "."]])


def go_turbo(exe, _):
    """The program that turbo starts to do the work."""
    return Command([exe.with_name("turbo"), "--no-update-notifier", "--skip-infer", "run", "hold", "--no-daemon"], files={
        "package.json": '{"name": "all", "workspaces": ["one"], "packageManager": "npm@9.0.0"}',
        "one/package.json": '{"name": "one", "version": "0.0.0", "scripts": {"hold": "sleep 600"}}',
        "turbo.json": '{"pipeline": {"hold": {"cache": false, "persistent": true}}}',
        "package-lock.json": '{"name": "all", "lockfileVersion": 3, "packages": {"": {"name": "all", "workspaces": ["one"]}, '
                             '"one": {"version": "0.0.0"}, "node_modules/one": {"resolved": "one", "link": true}}}',
    }, before=[["git", "init", "-q", "."]], watched=str(exe))


# --- All of them -----------------------------------------------------------------------------------------------------

_SERVERS = {  # package: (path, command)
    "etcd-server": ("usr/bin/etcd", etcd),
    "nats-server": ("usr/sbin/nats-server", nats_server),
    "caddy": ("usr/bin/caddy", caddy),
    "prometheus": ("usr/bin/prometheus", prometheus),
    "prometheus-alertmanager": ("usr/bin/prometheus-alertmanager", alertmanager),
    "prometheus-node-exporter": ("usr/bin/prometheus-node-exporter", node_exporter),
    "victoria-metrics": ("usr/bin/victoria-metrics", victoria_metrics),
}
_NPM = {  # package: (path, command, form)
    "@esbuild/linux-x64": ("package/bin/esbuild", esbuild, "stripped"),
    "lefthook-linux-x64": ("package/bin/lefthook", lefthook, "stripped"),
    "turbo-linux-64": ("turbo-linux-64/bin/go-turbo", go_turbo, "cgo"),
}


def _wanted():
    """What scripts/setup --real fetches: (suites, servers, npm packages)."""
    lists = 'printf "%s\\n" "${real_suites[*]}" "${real_servers[*]}" "${real_npm[*]}"'
    script = f'source "{harness.REPOSITORY}/scripts/real-programs"; {lists}'
    output = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout
    return [line.split() for line in output.splitlines()]


def programs():
    """Every one that scripts/setup --real fetches, whether it is there or not."""
    suites, servers, packages = _wanted()
    found = [_server(package, suite, REAL / suite / package) for suite in suites for package in servers]
    for word in packages:
        package, _, _ = word.rpartition("@")
        path, command, form = _NPM[package]
        name = re.sub(r"^@|/?-?linux-(x)?64", "", word)
        found.append(_program(name, "npm", REAL / "npm" / word.replace("/", "_") / path, command, form))
    return found


def few_programs():
    """What scripts/setup --test has unpacked."""
    return [_server(name, "bookworm", harness.CACHE / "tools" / name) for name in ("prometheus", "prometheus-alertmanager")]


def _server(package, suite, tree):
    path, command = _SERVERS[package]
    return _program(package, suite, tree / path, command, "cgo stripped")


def _program(name, source, exe, command, form):
    return Program(name, source, exe, lambda folder: command(exe, folder), form)
