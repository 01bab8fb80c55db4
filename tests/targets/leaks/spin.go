// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"sync/atomic"
)

var _ = register("spin", spin, spinFixed)

// spin waits for a flag by asking for it again and again; on an error nobody sets it.
func spin(l load) {
	runtime.GOMAXPROCS(1) // one core is enough to show it
	l.each(func(n int) {
		var ready atomic.Bool
		go func() { // leak-go
			for !ready.Load() { // leak: evidence=spinning cause=loop_without_exit
			}
			use(n)
		}()
		if l.unlucky(n) {
			return
		}
		ready.Store(true)
	})
}

func spinFixed(l load) {
	l.each(func(n int) {
		ready := make(chan struct{})
		go func() {
			<-ready
			use(n)
		}()
		defer close(ready)
		if l.unlucky(n) {
			return
		}
		use(ask(n))
	})
}
