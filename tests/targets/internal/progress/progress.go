// SPDX-License-Identifier: Apache-2.0

// Package progress lets a program that works without end say how far it has come at what price: four times a second a line
// of JSON on standard output. Whoever reads takes the difference of two of them.
package progress

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	interval = 250 * time.Millisecond
	tick     = 100 // of the kernel's in a second, as /proc counts (USER_HZ)
)

// Line is one of them; all numbers are since the program began.
type Line struct {
	At   float64 `json:"at"` // seconds
	Ops  uint64  `json:"ops"`
	CPU  float64 `json:"cpu_s"`          // user and system, of the whole process that is measured
	Load string  `json:"load,omitempty"` // where it changes
}

// Report writes what `now` says (all but At) for so many seconds, 0: until nobody reads any more.
func Report(seconds int, now func() Line) {
	out := json.NewEncoder(os.Stdout)
	began := time.Now()
	every := time.NewTicker(interval)
	defer every.Stop()
	for seconds == 0 || time.Since(began) < time.Duration(seconds)*time.Second {
		<-every.C
		line := now()
		line.At = time.Since(began).Seconds()
		if out.Encode(line) != nil {
			os.Exit(1)
		}
	}
}

// OwnCPU is what this process has used.
func OwnCPU() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// CPUOf is what another process has used, to a hundredth of a second.
func CPUOf(pid int) (float64, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	// The program's name may hold anything, and ends at the last bracket; utime and stime are the 14th and the 15th field.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return float64(ticks) / tick, nil
}
