#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is decoded from a stripped program is where its symbols say: the runtime's variables, and the Go version also
without build information.

    globals_test.py PRINT_BINARY GO_VERSION...

A table on standard output, a line for each build: "=" found and right, "-" not found (allowed where marked so), else the
test fails.
"""

import json
import os
import subprocess
import sys

import harness

BUILDS = {  # name: (flags, cgo)
    "plain": ([], False),
    "pie": (["-buildmode=pie"], False),
    "cgo": (["-tags=cgo"], True),
    "cgo-pie-external": (["-buildmode=pie", "-ldflags=-linkmode=external"], True),
}


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout


def symbols(exe):
    found = {}
    for line in run("nm", exe).splitlines():
        fields = line.split()
        if len(fields) == 3:
            found[fields[2]] = int(fields[0], 16)
    return found


def check(print_binary, version, build, flags, folder):
    exe = harness.build_target("zoo", version, extra_flags=flags)
    truth = symbols(exe)
    stripped = folder / "stripped"
    run("strip", "--strip-all", exe, "-o", stripped)
    found = json.loads(run(print_binary, stripped))
    with_symbols = json.loads(run(print_binary, exe))
    anonymous = folder / "anonymous"
    run("objcopy", "--rename-section", ".go.buildinfo=.nothing", stripped, anonymous)
    without_build_info = json.loads(run(print_binary, anonymous))

    wrong = []
    marks = []
    for name, address in found["globals"].items():
        if with_symbols["globals"][name] != truth[name]:
            wrong.append(f"{name} with symbols is {with_symbols['globals'][name]:#x}, not {truth[name]:#x}")
        if address != truth[name]:
            wrong.append(f"{name} is {address:#x}, not {truth[name]:#x}")
        marks.append("=" if address == truth[name] else "-" if address == 0 else "X")
    if without_build_info["version"] != found["version"]:
        wrong.append(f"version is {without_build_info['version']}, not {found['version']}")
    if with_symbols["wait_reasons"] != found["wait_reasons"] or "chan receive" not in found["wait_reasons"]:
        wrong.append("wait reasons differ")
    if found["layout"] != "table" or with_symbols["layout"] != "dwarf":
        wrong.append(f"layouts come from {found['layout']} and {with_symbols['layout']}")
    print(f"{version:5} {build:17} {'      '.join(marks)}  version {without_build_info['version']}", flush=True)
    return [f"Go {version} {build}: {text}" for text in wrong]


def main():
    print_binary, *versions = sys.argv[1:]
    print("                        allgs  allp   sched  mheap_ semt.  module waitReasons")
    wrong = []
    with harness.temp_dir() as folder:
        for version in versions:
            for build, (flags, cgo) in BUILDS.items():
                os.environ["CGO_ENABLED"] = "1" if cgo else "0"
                wrong += check(print_binary, version, build, flags, folder)
    assert not wrong, "\n".join(wrong)


main()
