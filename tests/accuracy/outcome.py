# SPDX-License-Identifier: Apache-2.0
"""What a cell of the table holds."""

import re
from dataclasses import dataclass

import real_programs  # for the path to the modules of tests/integration
import harness
import own_traceback

DOCUMENT = harness.REPOSITORY / "docs" / "accuracy.md"


@dataclass
class Outcome:
    passed: bool
    text: str  # of the cell, one line
    details: str = ""  # what differs, for who repairs it


def refusals():
    """The reasons with which something may be refused: what stands in backticks at the beginning of a row of a table there."""
    return re.findall(r"^\| `([^`]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)


def of(check):
    """Calls check, which returns (goroutines, differences)."""
    try:
        goroutines, differences = check()
    except (own_traceback.Refused, real_programs.NotHere) as refusal:
        reason = " ".join(str(refusal).split())
        documented = any(known in reason for known in refusals())
        return Outcome(documented, f"refused: {reason}" if documented else f"FAIL: refused, which no document explains: {reason}")
    except Exception as failure:  # whatever it is, the other cells are still to be shown
        return Outcome(False, f"FAIL: {type(failure).__name__}: {' '.join(str(failure).split())[:120]}", str(failure))
    if differences:
        first = " ".join(differences[0].split())[:120]
        return Outcome(False, f"FAIL: {len(differences)} differ: {first}", "\n".join(differences))
    return Outcome(True, f"ok ({goroutines})")
