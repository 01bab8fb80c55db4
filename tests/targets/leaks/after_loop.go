// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

var _ = register("after_loop", afterLoop, afterLoopFixed)

// afterLoop looks for changes of a document each time that time.After says so, for as long as the program runs.
func afterLoop(l load) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			edits := make(chan int)
			go func() { // leak-go
				for {
					select { // leak: evidence=accumulating cause=loop_without_exit
					case v := <-edits:
						use(v)
					case <-time.After(5 * l.period):
						use(ask(n))
					}
				}
			}()
		}
	})
}

func afterLoopFixed(l load) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			edits := make(chan int)
			ctx, cancel := context.WithTimeout(context.Background(), 20*l.period)
			go func() {
				defer cancel()
				for {
					select {
					case v := <-edits:
						use(v)
					case <-time.After(5 * l.period):
						use(ask(n))
					case <-ctx.Done():
						return
					}
				}
			}()
		}
	})
}
