// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

var _ = register("deadlock_pair", deadlockPair, deadlockPairFixed)

// deadlockPair has two jobs that lock two tables in opposite orders, once in a while. They stand for good, and nothing grows: everybody
// else can do without them.
func deadlockPair(l load) {
	var stock, prices sync.Mutex
	go func() { // leak-go: first
		for {
			time.Sleep(l.period)
			stock.Lock()
			use(ask(1))
			prices.Lock() // leak: first evidence=deadlock cause=lock_order
			prices.Unlock()
			stock.Unlock()
		}
	}()
	go func() { // leak-go: second
		for {
			time.Sleep(l.period)
			prices.Lock()
			use(ask(2))
			stock.Lock() // leak: second evidence=deadlock cause=lock_order
			stock.Unlock()
			prices.Unlock()
		}
	}()
	l.serve(func(n int) { use(ask(n)) })
}

func deadlockPairFixed(l load) {
	var stock, prices sync.Mutex
	for i := 0; i < 2; i++ {
		go func() {
			for {
				time.Sleep(l.period)
				stock.Lock()
				use(ask(1))
				prices.Lock()
				prices.Unlock()
				stock.Unlock()
			}
		}()
	}
	l.serve(func(n int) { use(ask(n)) })
}
