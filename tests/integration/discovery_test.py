#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Go processes are found as they begin, however many and however short, and nothing of them stays behind.

GOLEAKD_SHORT_PROCESSES: how many are run one after the other (default 2000).
"""

import collections
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import harness
from daemon import Daemon, need_root

IN_A_ROW = int(os.environ.get("GOLEAKD_SHORT_PROCESSES", "2000"))
AT_ONCE = 200
MIB = 1 << 20


def descriptors(pid):
    """By what they lead to, numbers taken off: {"socket:": 2, "anon_inode:bpf-prog": 3, …}."""
    links = []
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(link).split("[")[0])
    return collections.Counter(links)


def resident(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGESIZE")


def own_child(pid):
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])


def discovery(daemon):
    return daemon.api("targets")["discovery"]


def await_descriptors(pid, before):
    """No more of any kind than before: a snapshot under way then may have ended since."""
    try:
        harness.wait_for(lambda: not descriptors(pid) - before, 30, "the descriptors of before")
    except TimeoutError:
        raise AssertionError(f"more descriptors than before: {descriptors(pid) - before}") from None


def await_first_scan(daemon):
    harness.wait_for(lambda: discovery(daemon)["scans"] > 0, 20, "the first look at all processes")


class NamespaceDaemon(Daemon):
    """A daemon in a pid namespace of its own: it sees what the test runs there and nothing else, so its counts are exact."""

    def __init__(self, folder, executables, **settings):
        super().__init__(folder, executables, prefix=["unshare", "--kill-child", "-p", "-f", "--mount-proc"], **settings)
        self.inner = own_child(self.pid)  # its pid outside

    def command(self, *words):
        return ["nsenter", "-t", str(self.inner), "-p", "-m", "--", *map(str, words)]

    def stop(self, seconds=10):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.inner, signal.SIGTERM)
        return self.wait(seconds)


def watch_one(daemon, prefix, exe):
    """A first process, seen and gone: what stays of a program is kept for its next start."""
    with harness.Process([*prefix, exe, "-for", "5s"]) as process:
        harness.wait_for(lambda: any(target["counts"] for target in daemon.api("targets")["targets"]), 20,
                         "a first process")
        process.wait()  # a signal would end nsenter, not what it runs
    harness.wait_for(lambda: not daemon.api("targets")["targets"], 20, "its end")


def count_all(daemon, exe, number):
    before = discovery(daemon)
    script = f'i=0; while [ $i -lt {number} ]; do {exe}; i=$((i+1)); done'
    subprocess.run(daemon.command("sh", "-c", script), check=True, timeout=300 + number / 2)

    def counted():
        after = discovery(daemon)
        return after if after["executed"] - before["executed"] >= number + 1 else None  # and the shell

    after = harness.wait_for(counted, 10, f"{number} programs")
    assert after["executed"] - before["executed"] == number + 1, (before, after)
    assert after["lost"] == 0, after
    harness.wait_for(lambda: not daemon.api("targets")["targets"], 30, "the end of all")
    return after["too_short"] - before["too_short"]


def many_in_a_row(folder, exe):
    with NamespaceDaemon(folder, [exe], mode="snapshots") as daemon:
        assert discovery(daemon)["events_unavailable"] == "", discovery(daemon)
        await_first_scan(daemon)
        watch_one(daemon, daemon.command(), exe)
        count_all(daemon, exe, 200)  # whatever else is made at first use
        before = descriptors(daemon.inner), resident(daemon.inner)
        begin = time.monotonic()
        too_short = count_all(daemon, exe, IN_A_ROW)
        seconds = time.monotonic() - begin
        await_descriptors(daemon.inner, before[0])
        grown = resident(daemon.inner) - before[1]
        print(f"{IN_A_ROW} in a row: {seconds:.1f} s, all seen, {too_short} of them too short to be opened, "
              f"memory {grown / MIB:+.1f} MiB", flush=True)
        assert grown < 8 * MIB, grown


def many_at_once(folder, exe, mode):
    with Daemon(folder, [exe], mode=mode) as daemon:
        await_first_scan(daemon)
        watch_one(daemon, [], exe)
        before = descriptors(daemon.pid)
        begin = time.monotonic()
        with contextlib.ExitStack() as stack:
            pids = {stack.enter_context(harness.Process([exe, "-for", "1h"])).pid for _ in range(AT_ONCE)}
            started = time.monotonic()
            harness.wait_for(lambda: {target["pid"] for target in daemon.api("targets")["targets"]} == pids, 60,
                             f"{AT_ONCE} processes")
            found = time.monotonic()
            harness.wait_for(lambda: all(target["counts"] for target in daemon.api("targets")["targets"]), 120,
                             "a snapshot of each")
            print(f"{AT_ONCE} at once, {mode}: started within {started - begin:.1f} s, the last one found "
                  f"{found - started:.1f} s later, all counted {time.monotonic() - started:.1f} s later", flush=True)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        ended = time.monotonic()
        harness.wait_for(lambda: not daemon.api("targets")["targets"], 60, "the end of all")
        print(f"  all gone {time.monotonic() - ended:.1f} s after their end", flush=True)
        await_descriptors(daemon.pid, before)


def soon(folder, exe, prefix, unavailable):
    """The time from the start of a process to the API, by what the host allows."""
    with Daemon(folder, [exe], prefix=prefix, mode="snapshots") as daemon:
        await_first_scan(daemon)
        reason = discovery(daemon)["events_unavailable"]
        assert (unavailable in reason) if unavailable else reason == "", reason
        times = []
        for _ in range(5):
            begin = time.monotonic()
            with harness.Process([exe, "-for", "1h"]) as process:
                harness.wait_for(lambda: daemon.target(process.pid), 20, "the process in the API")
                times.append(time.monotonic() - begin)
            harness.wait_for(lambda: not daemon.target(process.pid), 20, "its end")
        how = "by scanning" if unavailable else "by the kernel's events"
        print(f"found {how} after {', '.join(f'{seconds:.2f}' for seconds in times)} s", flush=True)


def programs():
    bpftool = shutil.which("bpftool", path=os.environ["PATH"] + ":/usr/sbin")
    if not bpftool:
        return None
    listed = subprocess.run([bpftool, "-j", "prog", "list"], capture_output=True, text=True, check=True).stdout
    return collections.Counter(program["name"] for program in json.loads(listed)
                               if program.get("name", "").startswith(("process_e", "life_", "park_", "catch_", "failure_")))


def killed(folder, exe):
    before = programs()
    with harness.Process([exe, "-for", "1h"]) as process:
        with Daemon(folder, [exe]) as daemon:
            harness.wait_for(lambda: daemon.target(process.pid), 20, "the process in the API")
            if before is not None:
                assert programs() != before
            daemon.signal(signal.SIGKILL)
            daemon.wait()
        if before is None:
            print("no bpftool: what is left in the kernel was not looked at", flush=True)
        else:
            harness.wait_for(lambda: programs() == before, 10, f"no BPF program left ({before})")
        assert process.running()


def main():
    need_root()
    built = harness.build_target("short", "1.27", stripped=True)
    with harness.temp_dir() as folder:
        exe = folder / "short"  # nobody else runs this one
        shutil.copy(built, exe)
        soon(folder, exe, [], "")
        soon(folder, exe, ["setpriv", "--bounding-set=-bpf,-perfmon,-sys_admin"], "CAP_BPF")
        many_in_a_row(folder, exe)
        many_at_once(folder, exe, "snapshots")
        many_at_once(folder, exe, "auto")
        killed(folder, exe)


if __name__ == "__main__":
    main()
