// SPDX-License-Identifier: Apache-2.0

// Bench keeps the scheduler busy and says as package progress does how much it got done at what price.
//
//	bench pingpong|spawn|mutex|http SECONDS
//
// pingpong: two goroutines hand a value to and fro over unbuffered channels; an operation is a round trip.
// spawn: goroutines start and end at once; an operation is one goroutine.
// mutex: goroutines want the same lock all the time; an operation is one that had it.
// http: clients ask a server in the same process, over loopback; an operation is a request.
//
// It runs for SECONDS, 0: until it is killed.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"

	"example.com/targets/internal/pingpong"
	"example.com/targets/internal/progress"
)

func main() {
	works := map[string]func(*atomic.Uint64){
		"pingpong": func(ops *atomic.Uint64) { pingpong.Start(ops) },
		"spawn":    spawn,
		"mutex":    mutex,
		"http":     serveAndAsk,
	}
	if len(os.Args) != 3 || works[os.Args[1]] == nil {
		usage()
	}
	seconds, err := strconv.Atoi(os.Args[2])
	if err != nil || seconds < 0 {
		usage()
	}
	var ops atomic.Uint64
	works[os.Args[1]](&ops)
	progress.Report(seconds, func() progress.Line {
		return progress.Line{Ops: ops.Load(), CPU: progress.OwnCPU()}
	})
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: bench pingpong|spawn|mutex|http SECONDS")
	os.Exit(2)
}
