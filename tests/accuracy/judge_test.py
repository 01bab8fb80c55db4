#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judge of scripts/accuracy leaks tells right from wrong: on made-up reports about early_return, each with one fault."""

import copy

import leak_check
import leaks
import marks

EXPECTED = marks.of("early_return")
GO, STUCK = EXPECTED.leaks[0].created[0], EXPECTED.leaks[0].blocked


def frame(line, function="main.earlyReturn.func1.1"):
    return {"function": function, "file": "example.com/targets/leaks/early_return.go", "line": line}


RIGHT = {"id": "1", "stage": "leaking", "severity": "ticket", "evidence": "growing", "cause": "send_unbuffered_no_receiver",
         "creation": frame(GO[1], "main.earlyReturn.func1"), "blocked": frame(STUCK[1]), "stack": [frame(STUCK[1])], "deadlock": None}


def row(*reports, expected=EXPECTED, known="", kind="leaky"):
    """What becomes of a program of which that was said, one report after another."""
    sightings = leak_check.Sightings()
    for age, report in enumerate(reports, 1):
        sightings.add(report, age)
    return leaks.Row(leaks.Program("early_return", kind, []), *leak_check.judge(expected, sightings), known)


def but(**changes):
    return copy.deepcopy(RIGHT) | changes


def main():
    assert row([RIGHT]).passed
    assert row([but(stage="suspect")], [RIGHT], [but(stage="resolved")]).passed, "it was found, and is over"

    library = frame(7, "io.(*pipe).write") | {"file": "io/pipe.go"}
    assert row([but(blocked=library, stack=[library, frame(STUCK[1])])]).passed, "the library blocks, and the program calls it"

    faults = {"not found": [], "not yet found": [but(stage="suspect")], "wrong line": [but(blocked=frame(1), stack=[frame(1)])],
              "wrong go statement": [but(creation=frame(1))], "wrong evidence": [but(evidence="stale")],
              "wrong cause": [but(cause="send_buffer_full")], "no alert": [but(severity="info")],
              "an alert too many": [RIGHT, but(id="2", creation=frame(1), blocked=frame(1), stack=[frame(1)])]}
    for fault, report in faults.items():
        assert not row(report).passed, fault
        assert row(report, known="for a reason").passed, f"{fault}, and listed"
    assert not row([RIGHT], known="for a reason").passed, "listed, and right"

    member = {"goroutine": 7, **{name: RIGHT[name] for name in ("creation", "blocked", "stack")}}
    deadlock = but(creation=frame(1), blocked=frame(1), stack=[frame(1)], deadlock={"members": [member], "behind": 0})
    assert row([deadlock]).passed, "a deadlock stands where its members do"

    nothing = marks.Marks()
    assert row([], expected=nothing, kind="fixed").passed
    assert row([but(severity="info")], expected=nothing, kind="fixed").passed, "information is no alert"
    assert row([but(severity="ticket", stage="suspect")], expected=nothing, kind="fixed").passed, "a suspicion is no alert"
    assert not row([RIGHT], [but(stage="resolved", severity="info")], expected=nothing, kind="fixed").passed, "an alert that is over"

    programs = sum(1 for path in marks.LEAKS.glob("*.go") if "register(\"" in path.read_text(encoding="utf-8")
                   and marks.of(path.stem))
    assert programs > 50, programs
    print(f"told apart: {len(faults)} faults; the marks of {programs} programs can be read")


main()
