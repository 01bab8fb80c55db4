#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs whose goroutine table lies, has holes, or never answers: each is reported by name, and the others are watched on.

    hostile_test.py
"""

import daemon
import harness

LIES = ["huge", "cycle", "wild", "shrink", "hang"]
GO = "1.22"  # whose linker lets a program reach runtime.allgs


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


def snapshot_at(goleakd, pid):
    """When the newest good snapshot of a process was taken, in seconds; 0 before the first."""
    target = goleakd.target(pid)
    return (target and target["up"] and target["snapshot_at"]) or 0


def await_refusal(goleakd, pid, lie):
    def refused():
        target = goleakd.target(pid)
        return target and not target["up"] and target["last_error"]

    return harness.wait_for(refused, 60, f"{lie}: a word about the liar")


def watched_alone(folder, liar):
    """Nothing else wakes the daemon: a read that never ends must do so itself."""
    with harness.Target(liar) as bad:
        bad.command("lie hang")
        with daemon.Daemon(folder, [liar], mode="snapshots", snapshots={"interval": "500ms"}) as goleakd:
            print(f"hang, alone: {await_refusal(goleakd, bad.pid, 'hang')}", flush=True)


def main():
    daemon.need_root()
    liar = harness.build_target("hostile", GO)
    honest = harness.build_target("zoo", GO)
    with harness.temp_dir() as folder:
        for lie in LIES:
            with harness.Target(liar) as bad, harness.Target(honest) as good:
                bad.command(f"lie {lie}")
                with daemon.Daemon(folder, [liar, honest], mode="snapshots",
                                   snapshots={"interval": "500ms"}) as goleakd:
                    error = await_refusal(goleakd, bad.pid, lie)
                    # The other is looked at again and again, whatever becomes of this one.
                    for _ in range(3):
                        before = snapshot_at(goleakd, good.pid)
                        harness.wait_for(lambda: snapshot_at(goleakd, good.pid) > before, 10,
                                         f"{lie}: a fresh snapshot of the honest program")
                    assert bad.running() and goleakd.running()
                    used = resident_mib(goleakd.pid)
                    assert used < 200, f"{lie}: the daemon holds {used:.0f} MiB"
                    print(f"{lie}: {error} ({used:.0f} MiB)", flush=True)
        watched_alone(folder, liar)


main()
