// SPDX-License-Identifier: Apache-2.0

//go:build go1.23

package main

import (
	"iter"
	"runtime"
	"sync/atomic"
)

// coroutines counts what iter.Pull starts and ends, and how often that parks.
var coroutines = &section{name: "iter.Pull[...]", run: func(*section) (int, error) { return 0, nil }}

func coroutineSections() []*section {
	return []*section{{name: "main.pulled", run: pulled}, coroutines}
}

// resumed counts how often one of iter.Pull's coroutines was handed over to. Whoever does that parks until it hands back.
var resumed atomic.Int64

// pulled has goroutines pull values out of sequences: endless ones, ones that end, ones that never begin, and ones that
// park on the way.
func pulled(s *section) (int, error) {
	before := resumed.Load()
	const each = 5
	for i := 0; i < crowd/4; i++ {
		go s.counted(func() {
			for k := 0; k < each; k++ {
				sum := 0
				next, stop := pull(func(yield func(int) bool) {
					for v := 0; yield(v); v++ {
					}
				})
				for v := 0; v < transfers; v++ {
					value, _ := next()
					sum += value
				}
				stop()
				s.expect("sum", sum, sumTo(transfers))
			}
		})()
		go s.counted(func() {
			for k := 0; k < each; k++ {
				values := 0
				next, _ := pull(func(yield func(int) bool) { _ = yield(1) && yield(2) })
				for _, ok := next(); ok; _, ok = next() {
					values++
				}
				s.expect("values", values, 2)
				_, stop := pull(func(func(int) bool) { s.expect("values from one that was stopped", 1, 0) })
				stop()
			}
		})()
	}

	// The one that feeds them sends only to who is parked.
	ticks := make(chan int)
	go s.counted(func() {
		for i := 0; i < transfers; {
			select {
			case ticks <- i:
				i++
			default:
				runtime.Gosched()
			}
		}
	})()
	go s.counted(func() {
		sum := 0
		next, stop := pull(func(yield func(int) bool) {
			for i := 0; i < transfers && yield(<-ticks); i++ {
			}
		})
		for i := 0; i < transfers; i++ {
			value, _ := next()
			sum += value
		}
		stop()
		s.expect("sum", sum, sumTo(transfers))
	})()
	s.alive.Wait()
	// A coroutine begins parked, and its last turn ends without a park.
	turns := resumed.Load() - before
	coroutines.parks.Add(transfers + turns)
	return int(turns), nil
}

// pull is iter.Pull, and counts. Its sequence must come to its end.
func pull(sequence iter.Seq[int]) (next func() (int, bool), stop func()) {
	coroutines.started.Add(1)
	began, done := false, false
	resume, end := iter.Pull(func(yield func(int) bool) {
		began = true
		defer coroutines.ended.Add(1)
		sequence(yield)
	})
	next = func() (int, bool) {
		if !done {
			resumed.Add(1)
		}
		value, ok := resume()
		done = done || !ok
		return value, ok
	}
	return next, func() {
		if !done {
			resumed.Add(1)
			done = true
		}
		end()
		if !began {
			coroutines.ended.Add(1)
		}
	}
}
