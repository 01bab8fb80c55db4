#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`goleakd dump` of a quiet program equals the program's own debug=2 text: goroutine ids, states, functions, lines.

    dump_test.py GO_VERSION [stripped] [pie] [cgo]
"""

import json
import os
import re
import sys

import harness
from daemon import goleakd


def parse(text):
    """{goid: (state, [(function, place), …])}, without minutes and arguments."""
    goroutines = {}
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        header = re.fullmatch(r"goroutine (\d+) \[(.*)\]:", lines[0])
        assert header, f"not the header of a goroutine: {lines[0]!r}"
        frames = []
        for function, place in zip(lines[1::2], lines[2::2]):
            assert place.startswith("\t"), f"not a place: {place!r}"
            frames.append((re.sub(r"\([^()]*\)$", "", function), place.strip()))
        goroutines[int(header[1])] = (re.sub(r", \d+ minutes", "", header[2]), frames)
    return goroutines


def main():
    version, *kinds = sys.argv[1:]
    flags = ["-buildmode=pie"] if "pie" in kinds else []
    if "cgo" in kinds:
        os.environ["CGO_ENABLED"] = "1"
        flags.append("-ldflags=-s -w -linkmode=external")
    exe = harness.build_target("zoo", version, stripped="stripped" in kinds, extra_flags=flags)
    with harness.Target(exe) as zoo:
        own = parse(zoo.stacks())
        result = goleakd("dump", zoo.pid)
        assert result.returncode == 0, result.stderr
        ours = parse(result.stdout)
        document = json.loads(goleakd("dump", zoo.pid, "--format", "json").stdout)
        # The goroutine that writes the text was running then, and waits for its next command now.
        main_goroutine = 1
        assert own.keys() == ours.keys(), f"goroutines differ: {sorted(own.keys() ^ ours.keys())}"
        assert len(own) >= 40, f"only {len(own)} goroutines: the zoo has lost its animals"
        for goid in sorted(own.keys() - {main_goroutine}):
            assert own[goid] == ours[goid], f"goroutine {goid}:\n own {own[goid]}\n ours {ours[goid]}"
        assert ours[main_goroutine][0] in ("syscall", "IO wait", "semacquire"), ours[main_goroutine]
        assert {g["id"] for g in document["goroutines"]} == own.keys()
    print(f"{len(own)} goroutines are equal")


main()
