// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("lock_order", lockOrder, lockOrderFixed)

type account struct {
	mu      sync.Mutex
	balance int
}

// lockOrder moves money between two accounts and locks them in the order in which it names them: two that go in opposite directions
// end in each holding what the other wants.
func lockOrder(l load) {
	transferBothWays(l, func(from, to *account) {
		from.mu.Lock() // leak: visitor evidence=growing|deadlock cause=mutex_never_released|lock_order
		defer from.mu.Unlock()
		use(ask(1))
		to.mu.Lock() // leak: visitor evidence=deadlock optional=yes cause=mutex_never_released|lock_order
		defer to.mu.Unlock()
		from.balance--
		to.balance++
	})
}

func lockOrderFixed(l load) {
	var order sync.Mutex // one at a time; sorting the accounts would do as well
	transferBothWays(l, func(from, to *account) {
		order.Lock()
		defer order.Unlock()
		from.mu.Lock()
		defer from.mu.Unlock()
		use(ask(1))
		to.mu.Lock()
		defer to.mu.Unlock()
		from.balance--
		to.balance++
	})
}

func transferBothWays(l load, transfer func(from, to *account)) {
	a, b := &account{}, &account{}
	l.each(func(n int) {
		use(ask(n))
		if !l.unlucky(n) {
			return
		}
		go transfer(a, b) // leak-go: visitor
		go transfer(b, a) // leak-go: visitor
	})
}
