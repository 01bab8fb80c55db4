// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("ticker", ticker, tickerFixed)

// ticker reports the progress of an export each time that its ticker says so, also when the export has long been done.
func ticker(l load) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			go func() { // leak-go
				tick := time.NewTicker(5 * l.period)
				for range tick.C { // leak: evidence=accumulating cause=loop_without_exit
					use(n)
				}
			}()
		}
	})
}

func tickerFixed(l load) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			done := make(chan struct{})
			go func() {
				tick := time.NewTicker(5 * l.period)
				defer tick.Stop()
				for {
					select {
					case <-tick.C:
						use(n)
					case <-done:
						return
					}
				}
			}()
			time.AfterFunc(20*l.period, func() { close(done) })
		}
	})
}
