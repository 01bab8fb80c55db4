// SPDX-License-Identifier: Apache-2.0

// Bench keeps the scheduler busy and says as package progress does how much it got done at what price.
//
//	bench pingpong|spawn|mutex|http SECONDS
//	bench steps SECONDS RATE...
//
// pingpong: two goroutines hand a value to and fro over unbuffered channels; an operation is a round trip.
// spawn: goroutines start and end at once; an operation is one goroutine.
// mutex: goroutines want the same lock all the time; an operation is one that had it.
// http: clients ask a server in the same process, over loopback; an operation is a request.
// steps: an operation is a round trip as in pingpong and a goroutine that starts and ends; so many of them a second, "full": as
// many as it can, each rate for SECONDS and the last until it is killed.
//
// All others run for SECONDS, 0: until they are killed.
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
	if len(os.Args) < 3 {
		usage()
	}
	seconds, err := strconv.Atoi(os.Args[2])
	if err != nil || seconds < 0 {
		usage()
	}
	work, name, rates := works[os.Args[1]], os.Args[1], os.Args[3:]
	var ops atomic.Uint64
	switch {
	case work != nil && len(rates) == 0:
		work(&ops)
		progress.Report(seconds, func() progress.Line {
			return progress.Line{Ops: ops.Load(), CPU: progress.OwnCPU()}
		})
	case name == "steps" && seconds > 0 && len(rates) > 0:
		if err := steps(seconds, rates, &ops); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(2)
		}
	default:
		usage()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: bench pingpong|spawn|mutex|http SECONDS\n       bench steps SECONDS RATE...")
	os.Exit(2)
}
