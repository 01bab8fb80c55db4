// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("rwmutex_upgrade", rwMutexUpgrade, rwMutexUpgradeFixed)

type cacheLine struct {
	mu    sync.RWMutex
	value int
}

// rwMutexUpgrade takes the write lock while it still has the read lock, and so waits for itself.
func rwMutexUpgrade(l load) {
	l.serve(func(n int) {
		line := &cacheLine{value: n}
		line.mu.RLock()
		defer line.mu.RUnlock()
		if l.unlucky(line.value) {
			line.mu.Lock() // leak: request evidence=growing|deadlock cause=mutex_never_released|lock_upgrade
			line.value = ask(n)
			line.mu.Unlock()
		}
	})
}

func rwMutexUpgradeFixed(l load) {
	l.serve(func(n int) {
		line := &cacheLine{value: n}
		line.mu.RLock()
		stale := l.unlucky(line.value)
		line.mu.RUnlock()
		if stale {
			line.mu.Lock()
			line.value = ask(n)
			line.mu.Unlock()
		}
	})
}
