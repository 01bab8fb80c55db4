// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("rwmutex_starved", rwMutexStarved, rwMutexStarvedFixed)

// rwMutexStarved reads the configuration under a read lock that it takes twice. A writer that comes in between waits for the first, and
// keeps the second out, as it does everybody from then on.
func rwMutexStarved(l load) {
	var mu sync.RWMutex
	visitConfiguration(l, &mu, func(n int) {
		mu.RLock() // leak: visitor evidence=growing|deadlock cause=mutex_never_released|recursive_read_lock
		defer mu.RUnlock()
		use(askUnless(true, n))
		mu.RLock() // leak: visitor optional=yes evidence=deadlock cause=recursive_read_lock
		defer mu.RUnlock()
		use(n)
	})
}

func rwMutexStarvedFixed(l load) {
	var mu sync.RWMutex
	visitConfiguration(l, &mu, func(n int) {
		mu.RLock()
		defer mu.RUnlock()
		use(askUnless(true, n))
		use(n)
	})
}

func visitConfiguration(l load, mu *sync.RWMutex, read func(int)) {
	l.each(func(n int) {
		if l.unlucky(n) {
			go read(n) // leak-go: visitor
		}
		use(ask(n))
		if n == 3*l.rare { // a reader has just begun
			go func() { // leak-go: writer
				mu.Lock() // leak: writer optional=yes evidence=deadlock cause=mutex_never_released
				defer mu.Unlock()
				use(n)
			}()
		}
	})
}
