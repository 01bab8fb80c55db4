// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("double_lock", doubleLock, doubleLockFixed)

type basket struct {
	mu    sync.Mutex
	items []int
}

// doubleLock calls a method that locks, of a basket that it has locked already.
func doubleLock(l load) {
	l.serve(func(n int) {
		b := &basket{}
		b.add(n)
		if l.unlucky(n) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.add(n)
		}
	})
}

func doubleLockFixed(l load) {
	l.serve(func(n int) {
		b := &basket{}
		b.add(n)
		if l.unlucky(n) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.addLocked(n)
		}
	})
}

func (b *basket) add(n int) {
	b.mu.Lock() // leak: request evidence=growing|deadlock cause=mutex_never_released|double_lock
	defer b.mu.Unlock()
	b.addLocked(n)
}

func (b *basket) addLocked(n int) { b.items = append(b.items, n) }
