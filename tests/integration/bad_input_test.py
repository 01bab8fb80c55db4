#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What cannot be done is said clearly (what, where, what to do), with the right exit code, and leaves nothing behind."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import harness
from daemon import GOLEAKD, Daemon, goleakd, need_root

NOBODY = 65534
WITHOUT_CAPABILITIES = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--bounding-set=-all"]


def refused(arguments, code, *words, command=(GOLEAKD,)):
    result = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == code, f"{arguments}: exit code {result.returncode}, expected {code}: {result.stderr}"
    assert len(result.stderr.strip().splitlines()) == 1 or code == 2, f"{arguments}: more than one line: {result.stderr}"
    for word in words:
        assert word in result.stderr, f"{arguments}: no {word!r} in {result.stderr!r}"


def usage():
    for arguments in ([], ["nonsense"], ["dump"], ["dump", "x"], ["dump", "-5"], ["dump", "1", "--format", "xml"],
                      ["run", "--confg", "x"], ["leaks", "1", "--for", "10"], ["leaks", "1", "--for", "1s"], ["accept"],
                      ["accept", "--reason", ""], ["accept", "--reason", "x", "--until", "soon"],
                      ["accept", "--reason", "x", "--until", "2020-01-31"], ["accept", "--reason", "x", "--up-to", "0"]):
        refused(arguments, 2)
    for arguments in (["--help"], ["run", "--help"], ["dump", "--help"], ["version"]):
        assert goleakd(*arguments).returncode == 0, arguments


def kernel_thread():
    """A child of kthreadd, where this machine shows us any."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1] == "2":
                return int(stat.parent.name)
    return None


def processes(folder, zoo):
    nobody_home = 0x3FFFFFFF
    for command in ("dump", "leaks"):
        refused([command, nobody_home], 2, f"no process {nobody_home}")
        refused([command, os.getpid()], 2, f"process {os.getpid()}", "not a Go program")
    if kernel := kernel_thread():
        refused(["dump", kernel], 2, f"process {kernel}", "kernel thread")
    # Somebody else must be able to reach the program, wherever this checkout is.
    folder.chmod(0o755)
    public = shutil.copy(GOLEAKD, folder)
    refused(["dump", zoo.pid], 3, f"process {zoo.pid}", "uid 0", "CAP_SYS_PTRACE", command=[*WITHOUT_CAPABILITIES, public])
    refused(["leaks"], 2, "/run/goleakd/goleakd.sock")
    refused(["accept", "--reason", "x", "--socket", "/nonexistent/socket"], 2, "/nonexistent/socket")
    refused(["leaks", zoo.pid, "--socket", "/nonexistent/socket"], 2, "/nonexistent/socket")


def ends_meanwhile(exe):
    with harness.Target(exe) as zoo, harness.Process([GOLEAKD, "leaks", zoo.pid, "--for", "60s"]) as leaks:
        leaks.await_output("watching process")
        zoo.signal(signal.SIGKILL)
        assert leaks.wait(30) == 1
        assert "ended while it was watched" in leaks.output(), leaks.output()


def configuration(folder):
    path = folder / "bad.yaml"
    path.write_text("listen: 127.0.0.1:1\nlisten_to: x\n", encoding="utf-8")
    for arguments in (["run", "--config", path], ["run", "--check-config", "--config", path]):
        refused(arguments, 2, f"{path}:2:1", 'unknown key "listen_to"')
    refused(["run", "--config", folder / "absent.yaml"], 2, str(folder / "absent.yaml"))
    path.write_text("listen: shop.example.com:1\n", encoding="utf-8")
    refused(["run", "--config", path], 2, "shop.example.com:1")
    path.write_text(f"listen: 127.0.0.1:{harness.free_port()}\nsocket: /nonexistent/goleakd.sock\n", encoding="utf-8")
    refused(["run", "--config", path], 2, "/nonexistent/goleakd.sock")


def occupied(folder, exe):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        path = folder / "occupied.yaml"
        path.write_text(f"listen: {address}\nsocket: {folder}/occupied.sock\n", encoding="utf-8")
        refused(["run", "--config", path], 3, address)
        assert not (folder / "occupied.sock").exists(), "the socket was left behind"
    with Daemon(folder, [exe]) as daemon:
        path.write_text(f"listen: 127.0.0.1:{harness.free_port()}\nsocket: {daemon.socket}\n", encoding="utf-8")
        refused(["run", "--config", path], 3, str(daemon.socket), "another goleakd")
        assert daemon.running() and daemon.api("targets")["targets"] == []


def main():
    need_root()
    exe = harness.build_target("zoo", "1.27", stripped=True)
    usage()
    with harness.temp_dir() as folder, harness.Target(exe) as zoo:
        processes(folder, zoo)
        configuration(folder)
    with harness.temp_dir() as folder:
        occupied(folder, exe)
    ends_meanwhile(exe)
    print("all refused as they should be")


sys.exit(main())
