// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

var _ = register("global_locks", globalLocks, globalLocksFixed)

var (
	sessionsMu sync.Mutex
	sessions   int
	quotasMu   sync.RWMutex
	quotas     int
)

// globalLocks has two chores that take the locks of two package variables in opposite orders, in functions that call each other. Both
// stand for good one day; nothing grows.
func globalLocks(l load) {
	go func() { // leak-go: expiry
		for {
			time.Sleep(l.period)
			expireSessions(true)
		}
	}()
	go func() { // leak-go: report
		for {
			time.Sleep(l.period)
			reportQuotas()
		}
	}()
	l.serve(func(n int) { use(ask(n)) })
}

func globalLocksFixed(l load) {
	go func() {
		for {
			time.Sleep(l.period)
			expireSessions(false)
			adjustQuotas()
		}
	}()
	go func() {
		for {
			time.Sleep(l.period)
			reportQuotas()
		}
	}()
	l.serve(func(n int) { use(ask(n)) })
}

func expireSessions(adjust bool) {
	sessionsMu.Lock()
	defer sessionsMu.Unlock()
	sessions = ask(sessions) % 10
	if adjust {
		adjustQuotas()
	}
}

//go:noinline
func adjustQuotas() {
	quotasMu.Lock() // leak: expiry evidence=deadlock cause=lock_order
	quotas++
	quotasMu.Unlock()
}

func reportQuotas() {
	quotasMu.RLock()
	defer quotasMu.RUnlock()
	use(ask(quotas) + countSessions())
}

//go:noinline
func countSessions() int {
	sessionsMu.Lock() // leak: report evidence=deadlock cause=lock_order
	defer sessionsMu.Unlock()
	return sessions
}
