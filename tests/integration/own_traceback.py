# SPDX-License-Identifier: Apache-2.0
"""What goleakd says of a program's goroutines against what the program says itself: by its profile of debug=2, or by the
traceback with which it dies. Both are the Go runtime's own traceback, and so is the text of `goleakd dump`."""

import json
import re
from typing import NamedTuple

from daemon import goleakd

# A traceback with everything (a crash) has "gp=0x… m=…" here; one of Go 1.27 has pprof's labels.
HEADER = re.compile(r"goroutine (\d+)(?: gp=\S+ m=\S+(?: mp=\S+)?)? \[(.*?)\](?: \{.*\})?:")


class Goroutine(NamedTuple):
    state: str  # "chan receive", "syscall, locked to thread", …; without the minutes
    frames: list  # (function, place), innermost first; the last one says where it was created


class Refused(Exception):
    """goleakd declined, as it should when it does not know a program: exit code 3, with its reason."""


def parse(text):
    """{goid: Goroutine}. Raises ValueError for text that is no traceback."""
    goroutines = {}
    for block in text.strip().split("\n\n"):
        lines = [line for line in block.split("\n") if not line.startswith("#")]
        header = HEADER.fullmatch(lines[0])
        if not header:
            raise ValueError(f"not the header of a goroutine: {lines[0]!r}")
        goroutines[int(header[1])] = Goroutine(re.sub(r", \d+ minutes", "", header[2]), _frames(lines[1:]))
    return goroutines


def parse_crash(output):
    """The goroutines in what a Go program prints when a signal ends it: with the frames that are hidden otherwise."""
    blocks = [block for block in output.split("\n\n") if (header := HEADER.match(block)) and header[1] != "0"]
    if not blocks:
        raise ValueError(f"no traceback in {output[-2000:]!r}")
    return parse("\n\n".join(blocks))


def _frames(lines):
    frames = []
    rest = iter(lines)
    for line in rest:
        if line.startswith("..."):  # "...23 frames elided..."
            frames.append((line, ""))
        elif line.startswith("\t"):  # "\tgoroutine running on other thread; stack unavailable"
            frames.append(("", line.strip()))
        else:
            place = next(rest, "")
            if not place.startswith("\t"):
                raise ValueError(f"not a place: {place!r} after {line!r}")
            # Arguments are not compared, nor are the registers of a crash.
            frames.append((re.sub(r"\([^()]*\)$", "", line), re.sub(r" fp=0x.*", "", place.strip())))
    return frames


def differences(own, ours, leave_out=()):
    """What of two sets of goroutines is not equal, a line each; none when all is."""
    found = [f"goroutine {goid} is only the program's: {own[goid]}" for goid in sorted(own.keys() - ours.keys())]
    found += [f"goroutine {goid} is only goleakd's: {ours[goid]}" for goid in sorted(ours.keys() - own.keys())]
    for goid in sorted(own.keys() & ours.keys() - set(leave_out)):
        if own[goid] != ours[goid]:
            found.append(f"goroutine {goid}:\n  own  {own[goid]}\n  ours {ours[goid]}")
    return found


def dump_text(pid):
    """{goid: Goroutine} as goleakd prints it."""
    return parse(_dump(pid, "text"))


def dump_json(pid):
    """The document, without the runtime's own goroutines."""
    document = json.loads(_dump(pid, "json"))
    document["goroutines"] = [g for g in document["goroutines"] if not g["system"]]
    return document


def _dump(pid, form):
    result = goleakd("dump", pid, "--format", form)
    if result.returncode == 3:
        raise Refused(result.stderr.strip())
    if result.returncode != 0:
        raise RuntimeError(f"goleakd dump {pid}: exit code {result.returncode}, {result.stderr.strip()}")
    return result.stdout


def all_frames(document):
    """{goid: Goroutine} of a dump_json, in the form of a crash: with the frames that are hidden otherwise."""

    def written(frame):
        offset = f" +{frame['pc_offset']:#x}" if frame["pc_offset"] and not frame.get("inlined") else ""
        function = "panic" if frame["function"] == "runtime.gopanic" else frame["function"]
        return function, f"{frame['file']}:{frame['line']}{offset}"

    goroutines = {}
    for g in document["goroutines"]:
        frames = [written(frame) for frame in g["frames"]]
        if g["created_by"]:
            function, place = written(g["created_by"])
            frames.append((f"created by {function}" + (f" in goroutine {g['parent']}" if g["parent"] else ""), place))
        goroutines[g["id"]] = Goroutine(g["state"] + (", locked to thread" if g["locked_to_thread"] else ""), frames)
    return goroutines


def unfinished(document):
    """Goroutines of a dump_json whose stack does not reach the function that they were started with, a line each."""
    return [f"goroutine {g['id']} [{g['state']}]: {g['stack_missing'] or 'no frames'}" for g in document["goroutines"]
            if g["state"] != "running" and (g["stack_missing"] or not g["frames"])]


def compare_quiet(target):
    """(goroutines, differences) of a harness.Target that does nothing between commands."""
    own = parse(target.stacks())
    ours = dump_text(target.pid)
    document = dump_json(target.pid)
    # The goroutine that wrote the text ran then, and waits for its next command now.
    found = differences(own, ours, leave_out=[1])
    if ours[1].state not in ("syscall", "IO wait", "semacquire"):
        found.append(f"the main goroutine does not wait for a command: {ours[1]}")
    counted = int(target.command("numgoroutine"))
    if counted != len(ours):
        found.append(f"the program counts {counted} goroutines, goleakd {len(ours)}")
    if {g["id"]: g["state"] for g in document["goroutines"]} != {goid: g.state.split(",")[0] for goid, g in ours.items()}:
        found.append("the JSON document has other goroutines or states than the text")
    return len(ours), found + unfinished(document)
