#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goroutines of the standard library that are meant to live long, in a real program, are called stale by nobody: they are shown as
ignored, with the reason. What merely waits beside them is told of; and so are they where the built-in rules are switched off.

  ./long_lived_test.py [GO VERSIONS…]     since 1.21, where goroutines know who has started them
"""

import json
import signal
import subprocess
import sys

import harness
from daemon import SUSPICIOUS, Daemon, need_root

# All are started by a goroutine that has ended: else a select is where a worker waits for work, and nobody calls it stale.
PROGRAM = """package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"
)

type connector struct{}

func (connector) Connect(context.Context) (driver.Conn, error) { return nil, io.EOF }
func (connector) Driver() driver.Driver                        { return nil }

var keep []any

func use() {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
	keep = append(keep, ctx, sql.OpenDB(connector{}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, http.NotFoundHandler())
	answer, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	go forgotten(make(chan int))
	println("ready")
}

func forgotten(c chan int) {
	<-c
}

func main() {
	go use()
	time.Sleep(time.Hour)
}
"""
MEANT = {"os/signal.NotifyContext.func1": "signal.NotifyContext waits",
         "database/sql.(*DB).connectionOpener": "an sql.DB opens connections",
         "net/http.(*persistConn).writeLoop": "an http.Transport keeps the connection"}
FORGOTTEN = "main.forgotten"


def build(folder, version):
    source = folder / version
    source.mkdir()
    (source / "main.go").write_text(PROGRAM, encoding="utf-8")
    (source / "go.mod").write_text("module example.com/longlived\n\ngo 1.19\n", encoding="utf-8")
    exe = source / "longlived"
    built = subprocess.run(["go", "build", "-trimpath", "-o", exe, "."], cwd=source, env=harness.go_environment(version),
                           capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return exe


def stale(daemon, pid):
    """What is said of them, by the function that they are stuck in, once all are told of."""

    def all_told():
        told = {leak["blocked"]["function"]: leak for leak in daemon.leaks(pid) if leak["stage"] == "leaking"}
        return told if set(told) >= {*MEANT, FORGOTTEN} else None

    return harness.wait_for(all_told, 30, "all of them to be stale")


def check(folder, version):
    thresholds = {**SUSPICIOUS["thresholds"], "stale_after": "1s"}
    with harness.Process([build(folder, version)]) as program:
        program.await_output("^ready$")
        with Daemon(folder, [f"{folder}/*"], mode="snapshots", snapshots=SUSPICIOUS["snapshots"], thresholds=thresholds) as daemon:
            told = stale(daemon, program.pid)
            for function, reason in MEANT.items():
                assert told[function]["evidence"] == "stale" and (told[function]["ignored"] or "").startswith(reason), told[function]
            assert told[FORGOTTEN]["ignored"] is None, told[FORGOTTEN]
            path = folder / "goleakd.yaml"
            path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "builtin_rules": False}), encoding="utf-8")
            daemon.signal(signal.SIGHUP)
            daemon.await_output("the configuration is in force")
            told = stale(daemon, program.pid)
            assert not any(leak["ignored"] for leak in told.values()), told


def main():
    need_root()
    versions = sys.argv[1:] or ["1.27"]
    for version in versions:
        with harness.temp_dir() as folder:
            check(folder, version)
    print(f"Go {', '.join(versions)}: meant to live long, and known to be")


main()
