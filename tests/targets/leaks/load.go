// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"sync/atomic"
	"time"
)

// load is what comes to a service.
type load struct {
	period time.Duration // from one request to the next
	rare   int           // of so many requests one is unlucky
	well   time.Duration // from the start on, in services that go on for some time before anything goes wrong
}

// serve handles each request in a goroutine of its own, as a server does, for ever.
func (l load) serve(handle func(n int)) {
	l.each(func(n int) {
		go handle(n) // leak-go: request
	})
}

// each calls handle for one request after another, for ever.
func (l load) each(handle func(n int)) {
	tick := time.NewTicker(l.period)
	for n := 1; ; n++ {
		<-tick.C
		handle(n)
	}
}

// unlucky says whether that request takes the path that leaks.
func (l load) unlucky(n int) bool { return n%l.rare == 0 }

var begun = time.Now()

// spoilt says the same of services that have to be at work for some time before they fail.
func (l load) spoilt(n int) bool { return l.unlucky(n) && time.Since(begun) >= l.well }

var errNoStock = errors.New("out of stock")

const (
	quick    = 2 * time.Millisecond  // what a backend takes
	slow     = 60 * time.Millisecond // what it takes on a bad day
	patience = 20 * time.Millisecond // how long a client waits
)

// ask is a call of a backend.
func ask(n int) int {
	time.Sleep(quick)
	return 7 * n
}

// askUnless is one that takes too long for that request.
func askUnless(bad bool, n int) int {
	if bad {
		time.Sleep(slow)
	}
	return ask(n)
}

var used atomic.Int64

// use does something with a result, so that it is one.
func use(n int) { used.Add(int64(n)) }
