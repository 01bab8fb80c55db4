# SPDX-License-Identifier: Apache-2.0
"""What integration tests share: building the Go programs of tests/targets, running processes and never leaving one behind.

A test is a program: it exits with 0 when it passed, 77 when it was skipped, anything else when it failed.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TARGETS = REPOSITORY / "tests" / "targets"
CACHE = pathlib.Path(
    os.environ.get("GOLEAKD_CACHE")
    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "goleakd"
)
SKIPPED = 77


def skip(reason):
    print(f"SKIP: {reason}", flush=True)
    sys.exit(SKIPPED)


# --- Programs --------------------------------------------------------------------------------------------------------


def go_versions():
    """The Go versions that scripts/setup has put into the cache, oldest first: ["1.19", "1.22", …]."""
    found = [path.parent.parent.name for path in CACHE.glob("go/*/bin/go")]
    return sorted(found, key=lambda version: [int(part) for part in version.split(".")])


def build_target(name, go_version, stripped=False, extra_flags=()):
    """Builds tests/targets/NAME unless that very program is in the cache. Returns its path, which ends in NAME."""
    if go_version not in go_versions():
        skip(f"no Go {go_version} in {CACHE}; run: scripts/setup --test")
    flags = ["-trimpath", "-buildvcs=false", *extra_flags]
    if stripped:
        flags.append("-ldflags=-s -w")
    exe = CACHE / "targets" / _fingerprint(name, go_version, flags) / name
    exe.parent.mkdir(parents=True, exist_ok=True)
    with open(exe.parent / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not exe.exists():
            fresh = exe.parent / "fresh"
            _with_go(go_version, ["go", "build", *flags, "-o", str(fresh), f"./{name}"])
            fresh.rename(exe)
    return exe


def tool(name):
    """The path of a cached tool: prometheus, promtool, prometheus-alertmanager, amtool or bpftrace."""
    path = CACHE / "bin" / name
    if not path.exists():
        skip(f"no {name} in {CACHE}; run: scripts/setup --test")
    return path


def _fingerprint(name, go_version, flags):
    digest = hashlib.sha256()
    sources = [path for folder in (name, "internal") for path in (TARGETS / folder).rglob("*.go")]
    for path in sorted([TARGETS / "go.mod", *sources]):
        digest.update(f"{path.relative_to(TARGETS)}\0".encode() + path.read_bytes() + b"\0")
    toolchain = (CACHE / "go" / go_version / "VERSION").read_text(encoding="utf-8")
    digest.update(repr((toolchain, flags, os.environ.get("CGO_ENABLED"))).encode())
    return f"{name}-{go_version}-{digest.hexdigest()[:16]}"


def go_environment(go_version):
    """The environment in which scripts/lib.sh runs the cached toolchain of that version."""
    if go_version not in go_versions():
        skip(f"no Go {go_version} in {CACHE}; run: scripts/setup --test")
    script = f'source "{REPOSITORY}/scripts/lib.sh" && with_go "$@"'
    shown = subprocess.run(["bash", "-c", script, "with_go", go_version, "env", "-0"], capture_output=True, check=True)
    return dict(line.split("=", 1) for line in os.fsdecode(shown.stdout).split("\0") if line)


def _with_go(go_version, command):
    script = f'source "{REPOSITORY}/scripts/lib.sh" && with_go "$@"'
    build = subprocess.run(["bash", "-c", script, "with_go", go_version, *command], cwd=TARGETS, capture_output=True,
                           text=True, check=False)
    if build.returncode != 0:
        raise RuntimeError(f"Go {go_version}: {' '.join(command)}\n{build.stdout}{build.stderr}")


# --- Waiting and looking ---------------------------------------------------------------------------------------------


def wait_for(condition, seconds, what):
    """Calls condition until it returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def exe_of(pid):
    """What goleakd takes for the path of the program that a process runs."""
    return os.readlink(f"/proc/{pid}/exe")


def http_get(url, seconds=10):
    with urllib.request.urlopen(url, timeout=seconds) as response:
        return response.read().decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def temp_dir():
    with tempfile.TemporaryDirectory(prefix="goleakd-test.") as path:
        yield pathlib.Path(path)


# --- Processes -------------------------------------------------------------------------------------------------------

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program that runs until the end of the `with` block, or until the test dies, however that comes about."""

    def __init__(self, command, stdin=subprocess.DEVNULL, stdout=None, env=None):
        self.argv = [str(word) for word in command]
        self._log = tempfile.NamedTemporaryFile(prefix="goleakd-test.", suffix=".log")  # both outputs, unless piped
        self._popen = subprocess.Popen(
            self.argv, stdin=stdin, stdout=stdout or self._log, stderr=self._log, preexec_fn=_die_with_parent,
            env={**os.environ, **(env or {})})
        self.pid = self._popen.pid

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            print(f"--- output of {self.argv[0]}, process {self.pid}:\n{self.output()[-4000:]}", file=sys.stderr)
        self.stop()
        self._log.close()

    def output(self):
        with open(self._log.name, encoding="utf-8", errors="replace") as log:
            return log.read()

    def await_output(self, pattern, seconds=30):
        """Returns the match of a regular expression in the output."""

        def look():
            found = re.search(pattern, self.output(), re.MULTILINE)
            if not found and not self.running():
                raise RuntimeError(f"{self.argv[0]} ended with {self.wait()}, without {pattern!r}:\n{self.output()}")
            return found

        return wait_for(look, seconds, f"{pattern!r} from {self.argv[0]}")

    def running(self):
        return self._popen.poll() is None

    def wait(self, seconds=30):
        """Returns the exit code; negative: the signal that ended it."""
        return self._popen.wait(seconds)

    def signal(self, number):
        self._popen.send_signal(number)

    def stop(self, seconds=10):
        """Asks it to end, insists after a while, and returns the exit code."""
        if self.running():
            self.signal(signal.SIGTERM)
            try:
                self.wait(seconds)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
        return self.wait()


class Server(Process):
    """A target that says where it listens: shop, shopfixed."""

    def __init__(self, exe, *args):
        super().__init__([exe, *args])
        try:
            self.url = "http://" + self.await_output(r"^listening on (\S+)$")[1]
        except BaseException:
            self.stop()
            raise


class Target(Process):
    """A target that obeys commands, one line each, as tests/targets/internal/console says: counts, zoo."""

    def __init__(self, exe, *args, env=None):
        super().__init__([exe, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self._unread = b""
        try:
            self._expect_ready()
        except BaseException:
            self.stop()
            raise

    def _expect_ready(self):
        line = self._read_line(30)
        if line != "ready":
            raise RuntimeError(f"{self.argv[0]}: {line!r} instead of ready\n{self.output()}")

    def _read_line(self, seconds):
        deadline = time.monotonic() + seconds
        stream = self._popen.stdout.fileno()
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                raise TimeoutError(f"{self.argv[0]}: no answer within {seconds} s")
            chunk = os.read(stream, 65536)
            if not chunk:
                raise EOFError(f"{self.argv[0]} ended with {self.wait()}\n{self.output()}")
            self._unread += chunk
        line, self._unread = self._unread.split(b"\n", 1)
        return line.decode()

    def command(self, line, seconds=60):
        """Sends a command and returns what is answered after "ok"."""
        os.write(self._popen.stdin.fileno(), line.encode() + b"\n")
        answer = self._read_line(seconds)
        word, _, result = answer.partition(" ")
        if word != "ok":
            raise RuntimeError(f"{line!r}: {answer}")
        return result

    def stacks(self):
        """The program's own dump of all goroutines, in the form of debug=2."""
        with temp_dir() as folder:
            self.command(f"stack {folder}/stacks")
            return (folder / "stacks").read_text(encoding="utf-8")

    def counts(self):
        """What counts has counted: {"spawned": …, "exited": …, "parks": …, "churned": …, "pingpongs": …}."""
        words = self.command("counts").split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def quit(self):
        self.command("quit")
        return self.wait()
