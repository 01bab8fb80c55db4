// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var global sync.Mutex

// A guarded has its locks at offsets that are not 0.
type guarded struct {
	name  string
	mu    sync.Mutex
	rw    sync.RWMutex
	group sync.WaitGroup
	cond  sync.Cond
}

func mutex(waiters int, m *sync.Mutex) truth {
	return truth{
		"kind": "mutex", "address": address(m), "locked": true, "woken": false, "starving": false, "waiters": waiters,
	}
}

func startLocks() {
	object := &guarded{}
	object.mu.Lock()
	start("mutex", mutex(2, &object.mu), object.mu.Lock)
	start("mutex too", mutex(2, &object.mu), func() { object.mu.Lock() })

	global.Lock()
	start("global mutex", mutex(1, &global), global.Lock)

	startReadersAndWriters(&object.rw)

	object.group.Add(3)
	start("wait group", truth{
		"kind": "waitgroup", "address": address(&object.group), "counter": 3, "waiters": 1,
	}, object.group.Wait)

	object.cond.L = &sync.Mutex{}
	for _, name := range []string{"cond", "cond too"} {
		start(name, truth{"kind": "cond", "address": address(&object.cond), "waiters": 2}, func() {
			object.cond.L.Lock()
			object.cond.Wait()
		})
	}
}

// Two readers hold it, a writer waits for them, and a reader and a writer wait for that writer.
func startReadersAndWriters(rw *sync.RWMutex) {
	lock := func(side string) truth {
		return truth{
			"kind": "rwmutex", "address": address(rw), "side": side, "writer": true, "readers": 3, "readers_left": 2,
			"writers_behind": 1,
		}
	}
	rw.RLock()
	rw.RLock()
	start("writer", lock("write"), rw.Lock)
	for rw.TryRLock() { // until the writer has announced itself
		rw.RUnlock()
	}
	start("reader", lock("read"), rw.RLocker().Lock)
	start("writer behind", lock("write"), rw.Lock)
}
