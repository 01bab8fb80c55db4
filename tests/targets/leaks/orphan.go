// SPDX-License-Identifier: Apache-2.0

package main

import "context"

var _ = register("orphan", orphan, orphanFixed)

// orphan has a parent start a child that waits for its commands, and return on an error without another word.
func orphan(l load) {
	l.serve(func(n int) {
		commands := make(chan int)
		go func() { // leak-go
			use(<-commands)
			use(<-commands) // leak: evidence=growing|orphaned cause=receive_never_satisfied
		}()
		commands <- n
		if l.unlucky(n) {
			return
		}
		commands <- ask(n)
	})
}

func orphanFixed(l load) {
	l.serve(func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		commands := make(chan int)
		go func() {
			for i := 0; i < 2; i++ {
				select {
				case v := <-commands:
					use(v)
				case <-ctx.Done():
					return
				}
			}
		}()
		commands <- n
		if l.unlucky(n) {
			return
		}
		commands <- ask(n)
	})
}
