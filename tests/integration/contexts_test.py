#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goroutines that wait although a context that they still use has ended are told of, with the frame that holds it and how it
ended; those who do not use it any more, and those whose context is open, are not.

    contexts_test.py GO_VERSION [stripped] [pie] [cgo]
"""

import re
import sys

import builds
import harness
from daemon import Daemon, goleakd, need_root

AFTER = 2  # seconds from the end of a context until it counts
MORE = 20  # looks after all have been found


def expected(version):
    """{line: how the context ended}, by file."""
    files = {"main.go"} | ({"more.go"} if int(version.split(".")[1]) >= 21 else set())
    marks = {}
    for name in files:
        text = (harness.TARGETS / "contexts" / name).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            if mark := re.search(r"// ended: (\w+)$", line):
                marks[name, number] = mark[1]
    return marks


def ended(leaks):
    """The same of what goleakd has found."""
    found = {}
    for leak in leaks:
        if (context := leak["cancelled"]) and leak["stage"] == "leaking":
            assert (leak["evidence"], leak["severity"]) == ("cancelled", "info"), leak
            assert context["count"] == len(context["goroutines"]) == leak["count"] == 1, leak
            found[context["frame"]["file"].rpartition("/")[2], context["frame"]["line"]] = context["reason"]
    return found


def main():
    need_root()
    version, *kinds = sys.argv[1:]
    exe = builds.build("contexts", version, kinds)
    right = expected(version)
    thresholds = {"cancelled_after": f"{AFTER}s", "quiet_after_start": "0s", "growing_window": "3s", "growing_intervals": 3, "growing_rises": 2}
    snapshots = {"interval": "300ms", "interval_with_suspects": "300ms", "max_cpu": 0.5}
    with harness.temp_dir() as folder, harness.Process([exe]) as program:
        program.await_output("ready")
        with Daemon(folder, [exe], mode="snapshots", thresholds=thresholds, snapshots=snapshots) as daemon:
            def missing():
                return right.keys() - ended(daemon.leaks(program.pid)).keys()

            try:
                harness.wait_for(lambda: not missing(), 60, "every context that has ended")
            except TimeoutError as error:
                raise AssertionError(f"not told of: {sorted(missing())}") from error
            # Some more looks, for what must not be told of.
            daemon.await_snapshots(program.pid, MORE)
            found = ended(daemon.leaks(program.pid))
            assert found == right, f"told of without a reason or wrongly: {sorted(found.items() - right.items())}"
            text = goleakd("leaks", program.pid, "--socket", daemon.socket).stdout
            assert "cancelled for at least" in text and "past its deadline for at least" in text, text
            print(f"{len(found)} contexts that have ended, with the frames that hold them")


main()
