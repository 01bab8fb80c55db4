// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("early_return", earlyReturn, earlyReturnFixed)

// earlyReturn has the price asked for while it checks the order, and returns without the price when the order is no good.
func earlyReturn(l load) {
	l.serve(func(n int) {
		price := make(chan int)
		go func() { // leak-go
			price <- ask(n) // leak: evidence=growing cause=send_unbuffered_no_receiver
		}()
		if l.unlucky(n) {
			return
		}
		use(<-price)
	})
}

func earlyReturnFixed(l load) {
	l.serve(func(n int) {
		price := make(chan int, 1)
		go func() { price <- ask(n) }()
		if l.unlucky(n) {
			return
		}
		use(<-price)
	})
}
