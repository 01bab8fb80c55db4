#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A program that leaks, compiled again and again: by other versions of Go, with its lines moved, with closures and go statements
added. Its leaks keep their ids where docs/verdicts.md says so, and only there.

  ./leak_ids_test.py [GO VERSIONS…]     every version builds the program as it is, the first and the last all of its variants
"""

import contextlib
import subprocess
import sys

import harness
from daemon import SUSPICIOUS, Daemon, need_root

# Each function leaks one goroutine that waits for ever. CLOSURE and BEFORE are nothing in the program as it is.
LEAKS = """package main

var sink func() int

type worker struct{ name string }

func closure(c chan int) {
	CLOSURE
	BEFORE
	go func() { <-c }()
	AFTER
}

func argument(c chan int) {
	CLOSURE
	BEFORE
	go func(c chan int) { c <- 1 }(c)
	AFTER
}

func call(c chan int) {
	CLOSURE
	BEFORE
	go send(c)
	AFTER
}

func send(c chan int) {
	c <- 1
}

func (w *worker) start() {
	CLOSURE
	BEFORE
	go w.run()
	AFTER
}

func (w *worker) run() {
	select {}
}

func nested(c chan int) {
	CLOSURE
	BEFORE
	go func() {
		sink = func() int { return cap(c) }
		func() { <-c }()
	}()
	AFTER
}

func generic[T any](c chan T) {
	CLOSURE
	BEFORE
	go func() { <-c }()
	AFTER
}
"""
MAIN = """package main

import "time"

func main() {
	closure(nil)
	argument(nil)
	call(nil)
	(&worker{}).start()
	nested(nil)
	generic[string](nil)
	println("ready")
	time.Sleep(time.Hour) // so that the runtime does not see that all wait for ever
}
"""
FUNCTIONS = ["main.closure", "main.argument", "main.call", "main.(*worker).start", "main.nested", "main.generic[...]"]
A_CLOSURE = "sink = func() int { return 7 }"
A_GO_STATEMENT = "go println(sink != nil)"
ANOTHER_FUNCTION = "func earlier() { go func() { println(\"never\") }() }\n\n"


def variant(name):
    """{file: text} of the program."""
    parts = {"CLOSURE": "", "BEFORE": "", "AFTER": ""}
    main, leaks, file = MAIN, LEAKS, "leaks.go"
    if name == "moved":
        main = MAIN.replace("func main", ANOTHER_FUNCTION + "// A line.\n" * 30 + "func main")
        leaks = LEAKS.replace("func closure", ANOTHER_FUNCTION.replace("earlier", "earliest") + "\n" * 50 + "func closure")
        file = "renamed.go"
    elif name == "closures":
        parts["CLOSURE"] = A_CLOSURE
    elif name == "statement after":
        parts["AFTER"] = A_GO_STATEMENT
    elif name == "statement before":
        parts["BEFORE"] = A_GO_STATEMENT
    for word, text in parts.items():
        leaks = leaks.replace(word, text)
    return {"main.go": main, file: leaks, "go.mod": "module example.com/ids\n\ngo 1.19\n"}


def build(folder, name, version):
    source = folder / f"{name} {version}"
    source.mkdir()
    for file, text in variant(name).items():
        (source / file).write_text(text, encoding="utf-8")
    exe = source / "ids"  # the name of the service
    built = subprocess.run(["go", "build", "-trimpath", "-o", exe, "."], cwd=source, env=harness.go_environment(version),
                           capture_output=True, text=True, check=False)
    assert built.returncode == 0, f"{name}, Go {version}: {built.stderr}"
    return exe


def leaks_of(daemon, pid):
    """By function with the go statement, once all are there."""

    def found():
        leaks = {leak["creation"]["function"]: leak for leak in daemon.leaks(pid)}
        return leaks if set(leaks) >= set(FUNCTIONS) else None

    return harness.wait_for(found, 30, f"leaks in {FUNCTIONS}")


def main():
    need_root()
    versions = sys.argv[1:] or ["1.19", "1.22", "1.24", "1.27"]
    variants = [(name, version) for name in ("moved", "closures", "statement after", "statement before")
                for version in dict.fromkeys([versions[0], versions[-1]])]
    with harness.temp_dir() as folder:
        programs = {key: build(folder, *key) for key in [("base", version) for version in versions] + variants}
        with Daemon(folder, [f"{folder}/*"], mode="snapshots", **SUSPICIOUS) as daemon, contextlib.ExitStack() as running:
            processes = {key: running.enter_context(harness.Process([exe])) for key, exe in programs.items()}
            seen = {key: leaks_of(daemon, process.pid) for key, process in processes.items()}
    base = seen["base", versions[0]]
    assert len({leak["id"] for leak in base.values()}) == len(FUNCTIONS), base
    for (name, version), found in seen.items():
        for function in FUNCTIONS:
            before, now = ((leak["id"], leak["site_id"]) for leak in (base[function], found[function]))
            assert (now == before) == (name != "statement before"), f"{name}, Go {version}: {function} has {now}, not {before}"
        # The variants are what they are meant to be.
        stuck = [(leaks["main.closure"]["blocked"]["function"], leaks["main.closure"]["blocked"]["line"]) for leaks in (base, found)]
        assert (stuck[0][0] != stuck[1][0]) == (name == "closures"), stuck
        assert (stuck[1][1] - stuck[0][1] > 50) == (name == "moved"), stuck
    print(f"{len(seen)} builds by Go {', '.join(versions)}: ids are the same where they are to be")


if __name__ == "__main__":
    main()
