#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which Go programs goleakd reads, and whether what it reads is what they say themselves.

    reach.py [--quick]

Prints two tables: programs built here, for each Go and form, and programs that others have released. docs/accuracy.md says what
is compared and what may be refused. Exits with 0 only if nothing failed.
"""

import argparse
import sys

import outcome
import real_check
import real_programs
import builds
import harness
import own_traceback
from tables import table

# Go 1.20 is in no suite of Debian that still can be had: released programs stand for it.
BUILT = ["1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"]
RELEASED = "1.20"
QUICK_BUILT = ["1.19", "1.23", "1.27"]
QUICK_FORMS = ["stripped", "PIE"]
NOTHING = outcome.Outcome(True, "–")  # no such program to be had; not counted


def check_built(version, form):
    if version not in harness.go_versions():
        raise RuntimeError(f"no Go {version} in {harness.CACHE}; run: scripts/setup --test")
    with harness.Target(builds.build("zoo", version, builds.FORMS[form])) as zoo:
        return own_traceback.compare_quiet(zoo)


def progress(text):
    print(f"[reach] {text}", file=sys.stderr, flush=True)


def row_of_released(released, forms):
    """A cell for each form: what all those programs of that Go and form came to."""
    cells = []
    for form in forms:
        outcomes = [got for program, got, about in released
                    if program.form == form and about.get("go", "").startswith(RELEASED + ".")]
        if not outcomes:
            cells.append(NOTHING)
            continue
        failed = [got for got in outcomes if not got.passed]
        cells.append(failed[0] if failed else outcome.Outcome(True, f"ok ({len(outcomes)} released)"))
    return cells


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a part of it, for CI")
    quick = parser.parse_args().quick
    versions, forms = (QUICK_BUILT, QUICK_FORMS) if quick else (BUILT, list(builds.FORMS))
    programs = real_programs.few_programs() if quick else real_programs.programs()

    built = {}
    for version in versions:
        for form in forms:
            built[version, form] = outcome.of(lambda: check_built(version, form))
            progress(f"Go {version}, {form}: {built[version, form].text}")
    released = []
    for program in programs:
        about = {}
        got = outcome.of(lambda: real_check.check(program, about))
        released.append((program, got, about))
        progress(f"{program.name} of {program.source}: {got.text}")

    rows = {version: [built[version, form] for form in forms] for version in versions}
    if not quick:
        rows[RELEASED] = row_of_released(released, forms)
    table("Built here: goroutines that are equal to the program's own debug=2", ["Go", *forms],
          [[version, *(cell.text for cell in rows[version])] for version in sorted(rows)])
    table("Released by others", ["program", "from", "Go", "form", "layout", "compared with", "result"],
          [[program.name, program.source, about.get("go", "?"), program.form, about.get("layout", "?"),
            about.get("compared", "–"), got.text] for program, got, about in released])

    counted = [*built.values(), *(got for _, got, _ in released)]
    failed = [got for got in counted if not got.passed]
    for got in failed:
        print(f"\n{got.text}\n{got.details}", file=sys.stderr)
    print(f"\n{len(counted) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
