#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`goleakd dump --format pprof` of a quiet program says to `go tool pprof` what the program's own goroutine profile says.

    pprof_test.py GO_VERSION [stripped] [pie] [cgo]
"""

import re
import shutil
import subprocess
import sys

import builds
import harness
from daemon import goleakd

# The goroutine that writes its own profile is at it then, and waits for its next command when we look.
OWN_GOROUTINE = r"console\.Serve"


def pprof(*arguments):
    # Toolchains newer than Go 1.24 come without it and would have to compile it first. It reads the profiles of all.
    tool = harness.CACHE / "go" / "1.24" / "pkg" / "tool" / "linux_amd64" / "pprof"
    if not tool.exists():
        harness.skip(f"no {tool}; run: scripts/setup --test")
    result = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, f"{arguments}: {result.stderr}"
    return result.stdout


def top(profile):
    """{function: (flat, cum)}, and the line that says what the profile is of."""
    text = pprof("-top", "-nodecount=10000", "-nodefraction=0", f"-ignore={OWN_GOROUTINE}", profile)
    functions = {}
    for line in text.splitlines():
        found = re.fullmatch(r"\s*(\d+)\s+\S+%\s+\S+%\s+(\d+)\s+\S+%\s+(.+?)", line)
        if found:
            name = found[3]
            flat, cum = functions.get(name, (0, 0))
            functions[name] = (flat + int(found[1]), cum + int(found[2]))
    kind = re.search(r"^Type: (.*)$", text, re.MULTILINE)
    return functions, kind and kind[1]


def traces(profile):
    """Every stack with its lines and labels, and how many goroutines have it."""
    text = pprof("-traces", "-lines", f"-ignore={OWN_GOROUTINE}", profile)
    stacks = {}
    for block in re.split(r"^-+\+-+$", text, flags=re.MULTILINE)[1:]:
        count, key = 0, []
        for line in block.strip().splitlines():
            value = re.match(r"(\d+)\s+(.*)", line.strip())
            count, line = (int(value[1]), value[2]) if value else (count, line.strip())
            key.append(line)
        # Go's own profiles take a function that is inlined into itself for one that is called (runtime/pprof's pcDeck).
        for i, (line, caller) in enumerate(zip(key, key[1:])):
            if line.split()[0] == caller.split()[0]:
                key[i] = line.removesuffix(" (inline)")
        stacks[tuple(key)] = stacks.get(tuple(key), 0) + count
    return stacks


def source(profile):
    """The listing of package main, {(function, line): (flat, cum)}: how many goroutines stand on each line."""
    listing = pprof("-list=^main\\.", f"-ignore={OWN_GOROUTINE}", f"-source_path={harness.TARGETS}",
                    "-trim_path=example.com/targets", profile)
    lines, function = {}, None
    for text in listing.splitlines():
        if text.startswith("ROUTINE"):
            function = text.split()[2]
        elif (found := re.match(r"\s*(\d+|\.)\s+(\d+)\s+(\d+):", text)):
            flat, cum = lines.get((function, int(found[3])), (0, 0))
            lines[function, int(found[3])] = (flat + int(found[1].replace(".", "0")), cum + int(found[2]))
    return lines


def main():
    version, *kinds = sys.argv[1:]
    with harness.Target(builds.build("zoo", version, kinds)) as zoo, harness.temp_dir() as folder:
        own, ours = folder / "own", folder / "ours"
        zoo.command(f"profile {own}")
        result = goleakd("dump", zoo.pid, "--format", "pprof", "--output", ours)
        assert result.returncode == 0, result.stderr

        own_top, own_kind = top(own)
        our_top, our_kind = top(ours)
        assert (own_kind, our_kind) == ("goroutine", "goroutine"), (own_kind, our_kind)
        assert len(own_top) >= 40, f"only {len(own_top)} functions: the zoo has lost its animals"
        # Before Go 1.23 a program's own profile keeps no more than the 32 innermost frames of a stack.
        assert own_top == our_top, f"functions differ:\n own {dict(own_top.items() - our_top.items())}\n" \
                                   f" ours {dict(our_top.items() - own_top.items())}"

        if int(version.split(".")[1]) >= 23:
            own_traces, our_traces = traces(own), traces(ours)
            assert own_traces == our_traces, f"stacks differ:\n own {own_traces.items() - our_traces.items()}\n" \
                                             f" ours {our_traces.items() - own_traces.items()}"
        own_lines, our_lines = source(own), source(ours)
        assert len(own_lines) >= 40, f"the listing has only {len(own_lines)} lines with goroutines"
        assert own_lines == our_lines, f"lines differ: {own_lines.items() ^ our_lines.items()}"

        assert "digraph" in pprof("-dot", ours)
        if shutil.which("dot"):
            assert "</svg>" in pprof("-svg", ours)

        again = folder / "again"
        assert goleakd("dump", zoo.pid, "--format", "pprof", "--output", again).returncode == 0
        assert traces(ours) == traces(again), "two profiles of a quiet program differ"
        assert goleakd("dump", zoo.pid, "--format", "pprof", "--group-by", "site").returncode == 2
    print(f"{len(our_top)} functions and {len(our_lines)} lines are equal")


main()
