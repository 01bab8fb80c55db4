#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""History outlives daemons that are killed at random moments and processes that are started anew: the file stays sound, a leak
stays the same leak, time does not go back. Where history can't be kept, the daemon says so and goes on.

    history_test.py [--kills N] [--mode MODE] [--seed N]
"""

import argparse
import contextlib
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import harness
from daemon import SUSPICIOUS, Daemon, goleakd, need_root

LEAKY = ["-period", "20ms", "-rare", "2", "early_return"]  # 25 goroutines a second
# Root without the right to write where nobody may.
OBEDIENT = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"]


def settings(file, mode="auto"):
    return {**SUSPICIOUS, "mode": mode, "history": {"path": str(file), "interval": "1s"}}


def read(file, sql):
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as database:
        return database.execute(sql).fetchall()


def history(file, *arguments):
    shown = goleakd("leaks", "--history", "--history-file", file, *arguments)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def leak_of(file):
    """The only life cycle, or None."""
    leaks = json.loads(history(file, "--format", "json"))["leaks"]
    assert len(leaks) <= 1, leaks
    return leaks[0] if leaks else None


def await_leak(file, condition, what):
    def look():
        leak = leak_of(file) if file.exists() and read(file, "SELECT count(*) FROM sqlite_schema")[0][0] else None
        return leak if leak and condition(leak) else None

    return harness.wait_for(look, 40, what)


class Continuity:
    """What must hold of the file after each kill, whatever came before."""

    def __init__(self, file):
        self._file = file
        self._samples = 0
        self._newest = 0
        self._first_seen = None

    def check(self):
        assert read(self._file, "PRAGMA integrity_check") == [("ok",)]
        samples, newest = read(self._file, "SELECT sum(looks), max(start) FROM sample")[0]
        assert samples >= self._samples and newest >= self._newest, (samples, newest, self._samples, self._newest)
        assert newest <= time.time()
        grown, self._samples, self._newest = samples - self._samples, samples, newest
        leaks = read(self._file, "SELECT key, first_seen, stage FROM leak")
        assert len(leaks) == 1, leaks
        assert leaks[0][:2] == (self._first_seen or leaks[0][:2]), (leaks, self._first_seen)
        self._first_seen = leaks[0][:2]
        return grown


def killed(folder, exe, file, kills, chance, mode):
    with harness.Process([exe, *LEAKY]) as program:
        with Daemon(folder, [exe], **settings(file, mode)) as daemon:
            await_leak(file, lambda leak: leak["there"], "a life cycle")
            daemon.signal(signal.SIGKILL)
            daemon.wait()
        continuity = Continuity(file)
        grown = [continuity.check()]
        for _ in range(kills):
            with Daemon(folder, [exe], **settings(file, mode)) as daemon:
                time.sleep(chance.uniform(0, 3))
                daemon.signal(signal.SIGKILL)
                daemon.wait()
            grown.append(continuity.check())
        assert sum(grown[1:]) > 0, "nothing was written between the kills, so they would prove nothing"
        print(f"killed {kills + 1} times, samples written before each: {grown}", flush=True)
        before = leak_of(file)
        assert before["there"] and before["processes"] == 1, before
        with Daemon(folder, [exe], **settings(file, mode)) as daemon:
            await_leak(file, lambda leak: leak["last_seen"] > before["last_seen"], "the life cycle to go on")
            (leak,) = daemon.leaks(program.pid)
            assert (leak["id"], leak["first_seen_ever"]) == (before["id"], before["first_seen"]), (leak, before)
            assert "another goleakd" not in daemon.output(), daemon.output()
            restarted(exe, file, daemon, program, before)
    assert continuity.check() > 0


def restarted(exe, file, daemon, program, before):
    program.stop()
    await_leak(file, lambda leak: leak["stage"] == "gone", "the end of the process")
    with harness.Process([exe, *LEAKY]) as again:
        leak = await_leak(file, lambda leak: leak["there"], "the leak in the new process")
        assert (leak["id"], leak["first_seen"], leak["processes"]) == (before["id"], before["first_seen"], 2), leak
        assert [change["stage"] for change in leak["changes"]] == ["leaking", "gone", "leaking"], leak["changes"]
        assert len(leak["versions"]) == 1 and leak["before"] is None, leak
        assert len(leak["counts"]) > 2 and leak["counts"][-1]["mean"] > 0, leak["counts"]
        text = history(file, again.pid)
        assert f"LEAK  {leak['id']}  [" in text and "still there" in text and "█" in text, text
    assert daemon.metric("goleakd_history_up") == 1
    assert daemon.metric("goleakd_history_samples_total") > 0


def metric_of(daemon, name, value, **labels):
    harness.wait_for(lambda: daemon.metric(name, **labels) == value, 20, f"{name}{labels} {value}")


def refused(folder, exe, sound):
    """Each by a daemon of its own, all at once."""
    with contextlib.ExitStack() as running:

        def start(name, file, prefix=()):
            (folder / name).mkdir()
            return running.enter_context(Daemon(folder / name, [exe], prefix, **settings(file, "snapshots")))

        newer = shutil.copy(sound, folder / "newer.db")
        with contextlib.closing(sqlite3.connect(newer)) as database:
            database.execute("PRAGMA user_version = 99")
        corrupt = shutil.copy(sound, folder / "corrupt.db")
        with open(corrupt, "r+b") as file:
            size = file.seek(0, 2)
            file.seek(4096)
            file.write(b"\x5a" * (size - 4096))
        locked = folder / "locked"
        locked.mkdir(mode=0o555)
        daemons = {"newer": start("newer", newer), "corrupt": start("corrupt", corrupt),
                   "locked": start("locked-run", locked / "history.db", OBEDIENT)}
        for name, reason, words in (("newer", "unsupported", "has schema 99, of a newer goleakd"),
                                    ("locked", "permission", f"{locked}/history.db")):
            metric_of(daemons[name], "goleakd_history_up", 0)
            metric_of(daemons[name], "goleakd_history_unavailable", 1, reason=reason)
            assert "history is not written, the rest goes on: " in daemons[name].output(), daemons[name].output()
            assert words in daemons[name].output(), daemons[name].output()
            assert daemons[name].metric("goleakd_history_failed_writes_total") > 0
        metric_of(daemons["corrupt"], "goleakd_history_set_aside_total", 1)
        assert daemons["corrupt"].metric("goleakd_history_up") == 1
        assert f"set aside as {corrupt}.corrupt" in daemons["corrupt"].output(), daemons["corrupt"].output()
        for daemon in daemons.values():
            assert daemon.get("/-/ready") == "ready\n"
    assert read(newer, "PRAGMA user_version") == [(99,)], "it was touched"
    shown = goleakd("leaks", "--history", "--history-file", newer)
    assert shown.returncode == 3 and "of a newer goleakd" in shown.stderr, shown
    shown = goleakd("leaks", "--history", "--history-file", folder / "absent.db")
    assert shown.returncode == 2 and "absent.db" in shown.stderr, shown


@contextlib.contextmanager
def small_disk(folder):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "goleakd-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def full_disk(folder, exe):
    with small_disk(folder / "disk") as disk:
        filler = disk / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        with Daemon(folder, [exe], **settings(disk / "history.db", "snapshots")) as daemon:
            metric_of(daemon, "goleakd_history_up", 0)
            metric_of(daemon, "goleakd_history_unavailable", 1, reason="system")
            filler.unlink()
            metric_of(daemon, "goleakd_history_up", 1)
            assert daemon.metric("goleakd_history_missed_intervals_total") is not None
            assert "history is written again" in daemon.output(), daemon.output()


def main():
    need_root()
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=6)
    # Probes are nothing to history, and the kernel may take long to take those of a killed daemon away.
    parser.add_argument("--mode", default="snapshots", help="of the daemons that are killed, as in their configuration")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100000)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    exe = harness.build_target("leaks", "1.27", stripped=True)
    with harness.temp_dir() as folder:
        file = folder / "history.db"
        killed(folder, exe, file, arguments.kills, random.Random(arguments.seed), arguments.mode)
        refused(folder, exe, file)
        full_disk(folder, exe)
    print("history goes on, and where it can't, the daemon does")


main()
