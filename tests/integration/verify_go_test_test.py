#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`goleakd verify -- go test`: leaks and the tests that they are of; Go's own commands, failing tests and cached results.

    verify_go_test_test.py GO_VERSION
"""

import pathlib
import sys
import xml.etree.ElementTree

import harness
from verifying import marked_lines, verify, verify_json

SOURCES = {"leaky.go": marked_lines("verify/leaky/leaky.go"), "leaky_test.go": marked_lines("verify/leaky/leaky_test.go")}


def line_of(mark):
    return next((name, lines[mark]) for name, lines in SOURCES.items() if mark in lines)


def expected(parents):
    """{(test, what tells, file, line): goroutines}. Who started a goroutine is known from Go 1.21 on."""
    leaks = {}

    def add(test, known_by, mark, count=1):
        key = (test, known_by, *line_of(mark))
        leaks[key] = leaks.get(key, 0) + count

    for test, count in (("TestDirect", 1), ("TestParent", 1), ("TestSibling", 1), ("TestSubtests", 2), ("TestParallel", 3),
                        ("(*suite).TestMethod", 1)):
        add(test, "creation", f"{test} creation", count)
    add("TestCallback", "stack", "Run")
    add("TestParent" if parents else None, "parent" if parents else "nothing", "Start")
    add("TestSibling" if parents else None, "sibling" if parents else "nothing", "Start")
    add(None, "nothing", "Start")
    return leaks


def found(program):
    return {(leak["test"], leak["test_known_by"], pathlib.PurePath(leak["created"]["file"]).name, leak["created"]["line"]):
            leak["count"] for leak in program["leaks"]}


def main():
    version = sys.argv[1]
    in_go = {"env": harness.go_environment(version), "cwd": harness.TARGETS}
    go_test = ["go", "test", "-trimpath", "-count=1"]

    with harness.temp_dir() as folder:
        report = verify_json(["--junit", folder / "junit.xml"], [*go_test, "./verify/leaky", "./verify/fixed"], **in_go)
        assert report["exit_code"] == 1 and report["status"] == 0, report
        cases = xml.etree.ElementTree.parse(folder / "junit.xml").getroot().findall("testsuite/testcase")
    assert report["not_selected"] > 0, "the go command itself was judged"
    minor = int(version.split(".")[1])
    packages = "example.com/targets/verify/" if minor >= 24 else ""  # before, test binaries do not tell, and their files do
    programs = {program["tests_of"]: program for program in report["programs"]}
    assert set(programs) == {packages + "leaky", packages + "fixed"}, report["programs"]
    assert programs[packages + "fixed"]["leaks"] == [], report["programs"]
    leaky = programs[packages + "leaky"]
    wanted = expected(parents=minor >= 21)
    assert found(leaky) == wanted, f"{found(leaky)}\nexpected\n{wanted}"
    failed = [case.get("name").split(":")[0] for case in cases if case.find("failure") is not None]
    assert sorted(failed) == sorted(test or "unknown test" for test, *_ in wanted), failed

    passing = verify([], [*go_test, "./verify/fixed"], **in_go)
    assert passing.returncode == 0 and passing.stderr == "" and passing.stdout.startswith("ok"), passing

    failing = verify([], [*go_test, "./verify/failing"], **in_go)
    assert failing.returncode == 1 and "not judged" in failing.stderr and "LEAK" not in failing.stderr, failing
    all_the_same = verify_json(["--run-on-failure"], [*go_test, "./verify/failing"], **in_go)
    assert [leak["test"] for leak in all_the_same["programs"][0]["leaks"]] == ["TestFails"], all_the_same

    verify([], ["go", "test", "-trimpath", "./verify/fixed"], **in_go)
    cached = verify([], ["go", "test", "-trimpath", "./verify/fixed"], **in_go)
    assert cached.returncode == 4 and "-count=1" in cached.stderr and "(cached)" in cached.stdout, cached
    print(f"{leaky['leaked']} goroutines in {len(wanted)} leaks, each of its test")


main()
