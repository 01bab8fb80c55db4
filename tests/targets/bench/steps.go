// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"example.com/targets/internal/progress"
)

const (
	full     = "full"
	longest  = 100 * time.Millisecond // asleep: a new step does not wait longer
	shortest = 10 * time.Millisecond  // so that the pauses of high rates do not park often
)

// steps goes on with the last of the rates until the program is killed.
func steps(seconds int, rates []string, ops *atomic.Uint64) error {
	perSecond := make([]float64, len(rates)) // 0 with "full" and with nothing to do
	for i, rate := range rates {
		if rate == full {
			continue
		}
		n, err := strconv.ParseFloat(rate, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is no rate", rate)
		}
		perSecond[i] = n
	}
	var load atomic.Value
	load.Store(rates[0])
	go func() {
		operation := operations(ops)
		for i, rate := range rates {
			load.Store(rate)
			length := time.Duration(seconds) * time.Second
			if i == len(rates)-1 {
				length = math.MaxInt64
			}
			step(length, rate == full, perSecond[i], operation)
		}
	}()
	progress.Report(0, func() progress.Line {
		return progress.Line{Ops: ops.Load(), CPU: progress.OwnCPU(), Load: load.Load().(string)}
	})
	return nil
}

// operations returns what does one.
func operations(ops *atomic.Uint64) func() {
	ping, pong := make(chan struct{}), make(chan struct{})
	go func() {
		for range ping {
			pong <- struct{}{}
		}
	}()
	return func() {
		go func() {}()
		ping <- struct{}{}
		<-pong
		ops.Add(1)
	}
}

func step(length time.Duration, unbound bool, perSecond float64, operation func()) {
	began := time.Now()
	for done := 0; ; {
		since := time.Since(began)
		if since >= length {
			return
		}
		if unbound {
			for i := 0; i < 100; i++ {
				operation()
			}
			continue
		}
		for ; float64(done) < since.Seconds()*perSecond; done++ {
			operation()
		}
		time.Sleep(pause(perSecond))
	}
}

// pause is about the time from one operation to the next.
func pause(perSecond float64) time.Duration {
	if perSecond*longest.Seconds() <= 1 {
		return longest
	}
	if perSecond*shortest.Seconds() >= 1 {
		return shortest
	}
	return time.Duration(float64(time.Second) / perSecond)
}
