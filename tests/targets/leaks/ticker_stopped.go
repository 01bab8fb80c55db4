// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("ticker_stopped", tickerStopped, tickerStoppedFixed)

// tickerStopped stops the ticker of a session that is over. That does not close its channel: the loop waits on.
func tickerStopped(l load) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			tick := time.NewTicker(5 * l.period)
			go func() { // leak-go
				for range tick.C { // leak: evidence=growing cause=range_never_closed|ticker_never_stopped
					use(n)
				}
			}()
			time.AfterFunc(20*l.period, tick.Stop)
		}
	})
}

func tickerStoppedFixed(l load) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			tick, done := time.NewTicker(5*l.period), make(chan struct{})
			go func() {
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
