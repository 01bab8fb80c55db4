// SPDX-License-Identifier: Apache-2.0

// Bench keeps the scheduler busy and says each second, as a line of JSON, how much it got done at what price.
//
//	bench pingpong|spawn SECONDS
//
// pingpong: two goroutines hand a value to and fro over unbuffered channels; an operation is a round trip.
// spawn: goroutines start and end at once; an operation is one goroutine.
// The first second warms up and is not reported. With SECONDS 0 it runs until it is killed.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/targets/internal/pingpong"
)

// interval is one line of the output.
type interval struct {
	Second    int     `json:"second"` // from 1
	Ops       uint64  `json:"ops"`
	OpsPerSec float64 `json:"ops_per_s"`
	CPUSec    float64 `json:"cpu_s"` // of the whole process, user and system
}

func main() {
	work := map[string]func(*atomic.Uint64){
		"pingpong": func(ops *atomic.Uint64) { pingpong.Start(ops) },
		"spawn":    spawn,
	}
	if len(os.Args) != 3 || work[os.Args[1]] == nil {
		usage()
	}
	seconds, err := strconv.Atoi(os.Args[2])
	if err != nil || seconds < 0 {
		usage()
	}

	var ops atomic.Uint64
	work[os.Args[1]](&ops)
	report(&ops, seconds)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: bench pingpong|spawn SECONDS")
	os.Exit(2)
}

func spawn(ops *atomic.Uint64) {
	const batch = 100
	go func() {
		var running sync.WaitGroup
		for {
			running.Add(batch)
			for i := 0; i < batch; i++ {
				go running.Done()
			}
			running.Wait()
			ops.Add(batch)
		}
	}()
}

func report(ops *atomic.Uint64, seconds int) {
	out := json.NewEncoder(os.Stdout)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()

	<-tick.C
	began, done, cpu := time.Now(), ops.Load(), cpuSeconds()
	for second := 1; seconds == 0 || second <= seconds; second++ {
		<-tick.C
		now, nowDone, nowCPU := time.Now(), ops.Load(), cpuSeconds()
		line := interval{
			Second:    second,
			Ops:       nowDone - done,
			OpsPerSec: float64(nowDone-done) / now.Sub(began).Seconds(),
			CPUSec:    nowCPU - cpu,
		}
		if out.Encode(line) != nil { // the reader has gone
			os.Exit(1)
		}
		began, done, cpu = now, nowDone, nowCPU
	}
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
