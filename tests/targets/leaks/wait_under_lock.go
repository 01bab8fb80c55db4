// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("wait_under_lock", waitUnderLock, waitUnderLockFixed)

// totals adds up what its workers find.
type totals struct {
	mu  sync.Mutex
	sum int
}

func (t *totals) add(n int) {
	t.mu.Lock() // leak: worker evidence=deadlock|growing cause=wait_under_lock|mutex_never_released
	defer t.mu.Unlock()
	t.sum += n
}

// waitUnderLock waits for its workers while it holds the lock that each needs for its result. It happens once in a while, and each time
// to totals of its own.
func waitUnderLock(l load) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			go sumUp(n, true) // leak-go: report
		} else {
			go sumUp(n, false)
		}
	})
}

func waitUnderLockFixed(l load) {
	l.each(func(n int) {
		use(ask(n))
		go sumUp(n, false)
	})
}

func sumUp(n int, locked bool) {
	t := &totals{}
	var workers sync.WaitGroup
	for i := 0; i < 3; i++ {
		workers.Add(1)
		go func(i int) { // leak-go: worker
			defer workers.Done()
			t.add(ask(i))
		}(i)
	}
	if locked {
		t.mu.Lock()
		defer t.mu.Unlock()
		workers.Wait() // leak: report evidence=deadlock|growing cause=wait_under_lock|wait_group_never_done
	} else {
		workers.Wait()
		t.mu.Lock()
		defer t.mu.Unlock()
	}
	use(t.sum + n)
}
