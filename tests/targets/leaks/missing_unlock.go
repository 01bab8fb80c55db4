// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("missing_unlock", missingUnlock, missingUnlockFixed)

// missingUnlock returns on an error without Unlock. Each customer has a lock of its own, and all its later requests wait.
func missingUnlock(l load) {
	shop := newCustomers(l)
	l.serve(func(n int) {
		mu := shop.lockOf(n)
		mu.Lock() // leak: request evidence=growing cause=mutex_never_released
		if l.unlucky(n) {
			return
		}
		use(n)
		mu.Unlock()
	})
}

func missingUnlockFixed(l load) {
	shop := newCustomers(l)
	l.serve(func(n int) {
		mu := shop.lockOf(n)
		mu.Lock()
		defer mu.Unlock()
		if l.unlucky(n) {
			return
		}
		use(n)
	})
}

// customers have a lock each; one in l.rare requests is of the same customer.
type customers []sync.Mutex

func newCustomers(l load) customers { return make(customers, l.rare) }

func (c customers) lockOf(n int) *sync.Mutex { return &c[n%len(c)] }
