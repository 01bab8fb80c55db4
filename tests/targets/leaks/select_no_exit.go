// SPDX-License-Identifier: Apache-2.0

package main

import "context"

var _ = register("select_no_exit", selectNoExit, selectNoExitFixed)

// selectNoExit follows a session by a goroutine that handles what comes. That the session ends it does not learn.
func selectNoExit(l load) {
	l.each(func(n int) {
		if !l.unlucky(n) {
			use(ask(n))
			return
		}
		updates, problems := make(chan int), make(chan error)
		go func() { // leak-go
			for {
				select { // leak: evidence=growing cause=select_without_exit
				case v := <-updates:
					use(v)
				case <-problems:
					use(0)
				}
			}
		}()
		for i := 0; i < 3; i++ {
			updates <- i
		}
	})
}

func selectNoExitFixed(l load) {
	l.each(func(n int) {
		if !l.unlucky(n) {
			use(ask(n))
			return
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		updates, problems := make(chan int), make(chan error)
		go func() {
			for {
				select {
				case v := <-updates:
					use(v)
				case <-problems:
					use(0)
				case <-ctx.Done():
					return
				}
			}
		}()
		for i := 0; i < 3; i++ {
			updates <- i
		}
	})
}
