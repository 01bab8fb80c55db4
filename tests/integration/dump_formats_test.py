#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The options of `goleakd dump`: filters, groups, limits, where it writes, and how it refuses.

    dump_formats_test.py GO_VERSION
"""

import json
import os
import pty
import subprocess
import sys

import builds
import harness
import own_traceback
from daemon import GOLEAKD, goleakd


def dump(pid, *options):
    result = goleakd("dump", pid, "--format", "json", *options)
    assert result.returncode == 0, f"{options}: {result.stderr}"
    return json.loads(result.stdout)


def ids(pid, *options):
    return {g["id"] for g in dump(pid, *options)["goroutines"]}


def functions(g):
    return [frame["function"] for frame in g["frames"]]


def check_filters(pid, everything):
    """Each filter against the same question asked of the whole document."""
    questions = {
        ("--with", "user", "main.deep"): lambda g: any("main.deep" in f for f in functions(g)),
        ("--with", "current", "runtime.gopark"): lambda g: g["frames"] and "runtime.gopark" in functions(g)[0],
        ("--with", "created", "main.startBirths"):
            lambda g: g["created_by"] and "main.startBirths" in g["created_by"]["function"],
        ("--with", "start", "main.sleep"): lambda g: "main.sleep" in g["started"],
        ("--with", "state", "chan"): lambda g: "chan" in g["state"],
        ("--with", "running"): lambda g: g["state"] in ("running", "syscall"),
    }
    for (option, *words), holds in questions.items():
        expected = {g["id"] for g in everything if holds(g)}
        assert expected, f"{words}: the zoo has nothing of the kind"
        assert ids(pid, option, *words) == expected, words
        assert ids(pid, "--without", *words) == {g["id"] for g in everything} - expected, words
    both = ids(pid, "--with", "state", "chan", "--without", "user", "main.deep")
    assert both == ids(pid, "--with", "state", "chan") - ids(pid, "--with", "user", "main.deep")
    on_channels = [g for g in everything if g["waits_on"] and g["waits_on"]["kind"] == "channel"]
    assert on_channels, "nobody waits on a channel"
    for g in on_channels:
        assert g["id"] in ids(pid, "--object", g["waits_on"]["address"])
    assert ids(pid, "--min-wait", "1h") == set()
    system = ids(pid, "--system") - {g["id"] for g in everything}
    assert system, "no goroutines of the runtime itself"


def check_groups(pid, everything):
    for by in ("site", "state", "created", "object", "stack"):
        document = dump(pid, "--group-by", by)
        groups = document["groups"]
        counts = [group["count"] for group in groups]
        assert counts == sorted(counts, reverse=True), by
        members = [goid for group in groups for goid in group["goroutines"]]
        assert len(members) == len(set(members)) and set(members) == {g["id"] for g in everything}, by
        for group in groups:
            assert group["count"] == len(group["goroutines"])
            assert group["example"]["id"] == group["goroutines"][0]
        limited = dump(pid, "--group-by", by, "--limit", 2)
        assert limited["groups"] == groups[:2] and limited["left_out"] == len(groups) - 2, by
    states = {}
    for g in everything:
        states[g["state"]] = states.get(g["state"], 0) + 1
    assert {group["title"]: group["count"] for group in dump(pid, "--group-by", "state")["groups"]} == states
    text = goleakd("dump", pid, "--group-by", "state").stdout
    title, count = max(states.items(), key=lambda state: state[1])
    assert text.startswith(f"# {count} goroutines: {title}\n# ids: "), text[:200]


def check_text(pid, everything):
    plain = goleakd("dump", pid).stdout
    assert not any(line.startswith("#") for line in plain.splitlines())
    assert "\x1b" not in plain
    detailed = goleakd("dump", pid, "--details").stdout
    assert "\n# waits on channel 0x" in detailed
    assert own_traceback.parse(detailed) == own_traceback.parse(plain)

    limited = goleakd("dump", pid, "--limit", 3)
    assert len(own_traceback.parse(limited.stdout)) == 3
    assert f"{len(everything) - 3} more goroutines left out" in limited.stderr, limited.stderr


def terminal_output(command, **environment):
    """What a command says when its outputs are a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, {**os.environ, **environment})
    output = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        output += part
    os.close(terminal)
    assert os.waitpid(pid, 0)[1] == 0, output[-500:]
    return output.decode()


def check_terminal(pid):
    command = [str(GOLEAKD), "dump", str(pid)]
    colourful = terminal_output(command, TERM="xterm")
    assert "\x1b[1mgoroutine 1 " in colourful and "# waits on channel 0x" in colourful
    assert "\x1b" not in terminal_output(command, TERM="xterm", NO_COLOR="1")
    assert "\x1b" not in terminal_output(command, TERM="dumb")


def check_where_it_writes(pid, folder):
    path = folder / "dump.txt"
    result = goleakd("dump", pid, "--output", path)
    assert (result.returncode, result.stdout) == (0, ""), result
    assert len(own_traceback.parse(path.read_text(encoding="utf-8"))) >= 40

    full = goleakd("dump", pid, "--output", "/dev/full")
    assert full.returncode == 3 and "No space left on device" in full.stderr, full
    with open("/dev/full", "w", encoding="ascii") as device:
        full = subprocess.run([GOLEAKD, "dump", str(pid)], stdout=device, stderr=subprocess.PIPE, text=True, timeout=60,
                              check=False)
    assert full.returncode == 3 and "No space left on device" in full.stderr, full

    # A reader that has seen enough.
    shell = subprocess.run(["bash", "-c", '"$0" dump "$1" --system | head -1', GOLEAKD, str(pid)], capture_output=True,
                           text=True, timeout=60, check=False)
    assert shell.returncode == 0 and not shell.stderr and shell.stdout.startswith("goroutine 1 "), shell


def check_refusals(pid):
    for options, reason in {
        (pid, "--with", "colour red"): "user FUNC",
        (pid, "--with", "user"): "user FUNC",
        (pid, "--group-by", "colour"): "site",
        (pid, "--format", "xml"): "pprof",
        (pid, "--format", "pprof", "--group-by", "site"): "--group-by",
        (pid, "--min-wait", "10s"): "1m",
        (pid, "--min-wait", "10"): "--min-wait",
        (pid, "--object", "channel"): "0xc000012345",
        (pid, "--limit", "0"): "--limit",
        (pid, "--core", "core"): "--core",
        (pid, "--binary", "exe"): "--core",
        (): "--core FILE",
        ("--core", "/nowhere/core"): "/nowhere/core",
    }.items():
        result = goleakd("dump", *options)
        assert result.returncode == 2, f"{options}: exit code {result.returncode}, {result.stderr}"
        assert reason in result.stderr and not result.stdout, f"{options}: {result.stderr}"


def main():
    with harness.Target(builds.build("zoo", sys.argv[1], ())) as zoo, harness.temp_dir() as folder:
        everything = dump(zoo.pid)["goroutines"]
        check_filters(zoo.pid, everything)
        check_groups(zoo.pid, everything)
        check_text(zoo.pid, everything)
        check_terminal(zoo.pid)
        check_where_it_writes(zoo.pid, folder)
        check_refusals(zoo.pid)
    print(f"{len(everything)} goroutines, filtered, grouped and written")


main()
