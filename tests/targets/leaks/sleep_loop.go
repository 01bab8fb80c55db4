// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync/atomic"
	"time"
)

var _ = register("sleep_loop", sleepLoop, sleepLoopFixed)

// sleepLoop refreshes the token of a session now and then, also when the session is over.
func sleepLoop(l load) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			go func() { // leak-go
				for {
					use(ask(n))
					time.Sleep(5 * l.period) // leak: evidence=accumulating cause=loop_without_exit
				}
			}()
		}
	})
}

func sleepLoopFixed(l load) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			var over atomic.Bool
			go func() {
				for !over.Load() {
					use(ask(n))
					time.Sleep(5 * l.period)
				}
			}()
			time.AfterFunc(20*l.period, func() { over.Store(true) })
		}
	})
}
