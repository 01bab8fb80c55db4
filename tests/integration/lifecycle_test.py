#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs as they live: executed by a shell, replaced on disk while they run, ended and started again. A process keeps its
ledger for exactly as long as it is that program."""

import os
import shutil
import signal

import harness
from daemon import Daemon, need_root

SITE = "main.spawnWorkers"


def live(daemon, target):
    site = daemon.site(target.pid, SITE)
    return site["live"] if site else 0


def main():
    need_root()
    exe = harness.build_target("counts", "1.27", stripped=True)
    with harness.temp_dir() as folder:
        program = folder / "service"
        shutil.copy(exe, program)
        with Daemon(folder, [program], snapshots={"interval": "300ms"}) as daemon:
            # A shell becomes the program: the process id stays, and what was no Go program is one now. "ready" comes from it.
            with harness.Target("/bin/sh", "-c", f"sleep 1.5; exec {program}") as counts:
                daemon.await_exact(counts.pid)
                counts.command("spawn 5")
                harness.wait_for(lambda: live(daemon, counts) == 5, 10, "five goroutines")

                # An upgrade while it runs: the file under its name is another one now, the program in memory is not.
                shutil.copy(exe, folder / "new")
                os.replace(folder / "new", program)
                counts.command("spawn 2")
                harness.wait_for(lambda: live(daemon, counts) == 7, 10, "seven goroutines")
                with harness.Target(program) as upgraded:  # the new file, beside the old
                    daemon.await_exact(upgraded.pid)
                    upgraded.command("spawn 3")
                    harness.wait_for(lambda: live(daemon, upgraded) == 3, 10, "three goroutines")
                    assert live(daemon, counts) == 7
                    assert "ended" not in daemon.output(), daemon.output()
                    upgraded.signal(signal.SIGKILL)
                    harness.wait_for(lambda: daemon.target(upgraded.pid) is None, 10, "the end to be noticed")
                assert daemon.target(counts.pid)["losses"]["corrections"]["missed_exit"] == 0
                assert counts.quit() == 0
            harness.wait_for(lambda: daemon.api("targets")["targets"] == [], 10, "nobody to be left")
    print("a process is watched for as long as it is that program")


main()
