#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`goleakd dump --core` tells of a core file what `goleakd dump` tells of the process, and of a dead program what that
has said itself when it died.

    core_test.py GO_VERSION [stripped] [pie] [cgo]
"""

import json
import pathlib
import shutil
import signal
import subprocess
import sys

import builds
import harness
import own_traceback
from daemon import goleakd

CORE_PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")


def gdb(*arguments):
    if not shutil.which("gdb"):
        harness.skip("no gdb; run: scripts/setup --test")
    result = subprocess.run(["gdb", "-nx", "-batch", *map(str, arguments)], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=240, check=False)
    return result.stdout + result.stderr


def gcore(pid, core):
    output = gdb("-p", pid, "-ex", f"generate-core-file {core}", "-ex", "detach")
    if not core.exists():
        raise RuntimeError(f"no core of process {pid}:\n{output}")


def kernel_keeps_cores():
    """The kernel writes them into the working directory. Where it does not, this host stays as it is set up."""
    pattern = CORE_PATTERN.read_text(encoding="utf-8").strip()
    return bool(pattern) and not pattern.startswith("|") and "/" not in pattern


def die(exe, how, folder, number=None):
    """Runs crash in an empty folder until it dies, of a signal if one is given. Returns (core, what it said)."""
    command = 'ulimit -c unlimited && cd "$1" && exec "$2" "$3"'
    with harness.Process(["sh", "-c", command, "sh", folder, exe, how], env={"GOTRACEBACK": "crash"}) as crash:
        if number:
            crash.await_output("^ready$")
            crash.signal(number)
        assert crash.wait() == -signal.SIGABRT, f"ended with {crash.wait()}"
        said = crash.output()
    cores = list(folder.iterdir())
    assert len(cores) == 1, f"the kernel has left {cores} in {folder}: is the hard limit of ulimit -c 0?"
    return cores[0], said


def die_in_gdb(exe, how, folder):
    """As die(), by a core that gdb writes just before the end."""
    core, said = folder / "core", folder / "said"
    output = gdb(exe, "-ex", "set env GOTRACEBACK crash", "-ex", "handle all nostop noprint pass",
                 "-ex", "handle SIGABRT stop", "-ex", f"run {how} > {said} 2>&1", "-ex", f"generate-core-file {core}",
                 "-ex", "kill")
    assert core.exists(), f"no core of {exe}:\n{output}"
    return core, said.read_text(encoding="utf-8")


def dump(core, *options):
    result = goleakd("dump", "--core", core, *options)
    assert result.returncode == 0, f"exit code {result.returncode}: {result.stderr}"
    return result.stdout


def refused(core, *options):
    result = goleakd("dump", "--core", core, *options)
    assert result.returncode != 0 and not result.stdout, f"not refused: {result.stdout[:200]}"
    return result.stderr


def functions(goroutine):
    return [frame["function"] for frame in goroutine["frames"]]


def check_living(version, kinds, folder):
    """A quiet program and its copy, which then lives without its executable."""
    exe = folder / "zoo"
    shutil.copy(builds.build("zoo", version, kinds), exe)
    core = folder / "core"
    with harness.Target(exe) as zoo:
        gcore(zoo.pid, core)
        live = own_traceback.dump_text(zoo.pid)
    ours = own_traceback.parse(dump(core))
    different = own_traceback.differences(live, ours)
    assert not different, "\n".join(different)
    assert len(live) >= 40, f"only {len(live)} goroutines: the zoo has lost its animals"

    moved = folder / "moved"
    exe.rename(moved)
    said = refused(core)
    assert str(exe) in said and "--binary" in said, said
    assert own_traceback.parse(dump(core, "--binary", moved)) == ours
    other = builds.build("crash", version, kinds)
    said = refused(core, "--binary", other)
    assert str(other) in said and said.count("build id") == 2 and "unknown" not in said, said
    shutil.copy(other, exe)  # another program where the right one was
    said = refused(core)
    assert "is not the build" in said and "--binary" in said, said
    half = core.stat().st_size // 2
    with open(core, "r+b") as file:
        file.truncate(half)
    said = refused(core, "--binary", moved)
    assert f"cut short at {half} bytes" in said, said
    print(f"{len(live)} goroutines of a living program")


def check_running(version, kinds, folder):
    """A goroutine that runs has a stack in a core: where its thread was."""
    core = folder / "core"
    with harness.Process([builds.build("crash", version, kinds), "spin"]) as crash:
        crash.await_output("^ready$")
        gcore(crash.pid, core)
    running = [g for g in json.loads(dump(core, "--format", "json"))["goroutines"] if g["state"] == "running"]
    assert [functions(g) for g in running] == [["main.spin", "main.main", "runtime.main", "runtime.goexit"]], running


def check_dead(version, kinds, how, folder, number=None):
    exe = builds.build("crash", version, kinds)
    core, said = die(exe, how, folder, number) if kernel_keeps_cores() else die_in_gdb(exe, how, folder)
    document = json.loads(dump(core, "--format", "json"))
    goroutines = {g["id"]: g for g in document["goroutines"] if not g["system"]}
    assert len(goroutines) == 4, goroutines.keys()
    missing = [g for g in goroutines.values() if not g["frames"]]
    assert not missing, missing
    main = functions(goroutines[1])
    expected = {"panic": ["main.fall"] * 4, "fault": ["main.follow"], "asleep": [], "spin": ["main.spin"]}[how]
    expected += ["main.main", "runtime.main", "runtime.goexit"]
    assert main[-len(expected):] == expected, main
    if how in ("panic", "fault"):
        assert goroutines[1]["state"] == "running" and "runtime.gopanic" in main, goroutines[1]
    if how == "asleep":
        assert main[0] == "runtime.gopark", main
    # What the runtime itself has printed, for all but the goroutine that printed it.
    own = own_traceback.parse_crash(said)
    ours = own_traceback.all_frames(document)
    others = goroutines.keys() - {1}
    assert others <= own.keys(), f"the program has not told of {others - own.keys()}"
    different = own_traceback.differences({goid: own[goid] for goid in others}, {goid: ours[goid] for goid in others})
    assert not different, "\n".join(different)
    print(f"{how}: {len(others) + 1} goroutines of a dead program")


def main():
    version, *kinds = sys.argv[1:]
    with harness.temp_dir() as folder:
        check_living(version, kinds, folder)
    with harness.temp_dir() as folder:
        check_running(version, kinds, folder)
    deaths = [("panic", None), ("fault", None)]
    if "cgo" not in kinds:
        deaths.append(("asleep", None))  # programs with C in them are never told
    if kernel_keeps_cores():
        deaths.extend([("spin", signal.SIGABRT), ("spin", signal.SIGQUIT)])
    else:
        print("the kernel hands cores on: gdb writes those of the dead, and no signal is sent to them")
    for how, number in deaths:
        with harness.temp_dir() as folder:
            check_dead(version, kinds, how, folder, number)


main()
