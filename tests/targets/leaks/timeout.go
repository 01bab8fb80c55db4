// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("timeout", timeout, timeoutFixed)

// timeout gives up waiting for a slow backend, whose answer then finds nobody.
func timeout(l load) {
	l.serve(func(n int) {
		answer := make(chan int)
		go func() { // leak-go
			answer <- askUnless(l.unlucky(n), n) // leak: evidence=growing cause=send_unbuffered_no_receiver
		}()
		select {
		case v := <-answer:
			use(v)
		case <-time.After(patience):
		}
	})
}

func timeoutFixed(l load) {
	l.serve(func(n int) {
		answer := make(chan int, 1)
		go func() { answer <- askUnless(l.unlucky(n), n) }()
		select {
		case v := <-answer:
			use(v)
		case <-time.After(patience):
		}
	})
}
