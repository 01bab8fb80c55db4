#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goroutines of a Go library are seen in a program that is written in C: library_test.py GO_VERSION...

The library is one that the program loads (c-shared), or one that is linked into it (c-archive).
"""

import os
import re
import shutil
import subprocess
import sys

import harness
from daemon import goleakd

WAITING = 5  # host.c


def check(version, mode, folder):
    library = harness.build_target("library", version, extra_flags=[f"-buildmode={mode}"])
    # The linker tells kinds of libraries by their names.
    linked = folder / {"c-shared": "libwaiting.so", "c-archive": "libwaiting.a"}[mode]
    shutil.copy(library, linked)
    host = folder / f"host-{mode}"
    subprocess.run(["cc", harness.TARGETS / "library/host/host.c", linked, "-lpthread", "-o", host], check=True)
    with subprocess.Popen([host], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"ready\n"
            result = goleakd("dump", process.pid)
            assert result.returncode == 0, result.stderr
            found = re.findall(r"^goroutine \d+ \[chan receive\]:\nmain\.wait\(", result.stdout, re.M)
            assert len(found) == WAITING, result.stdout
            print(f"Go {version} {mode}: {len(found)} goroutines wait in main.wait")
        finally:
            process.kill()


def main():
    os.environ["CGO_ENABLED"] = "1"
    with harness.temp_dir() as folder:
        for version in sys.argv[1:]:
            for mode in ("c-shared", "c-archive"):
                check(version, mode, folder)


main()
