// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("singleflight", singleFlight, singleFlightFixed)

// flights is golang.org/x/sync/singleflight in short: who asks for what is being fetched waits for who fetches it.
type flights struct {
	mu    sync.Mutex
	calls map[int]*sync.WaitGroup
}

func (f *flights) join(key int) (call *sync.WaitGroup, leader bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if call = f.calls[key]; call != nil {
		return call, false
	}
	call = &sync.WaitGroup{}
	call.Add(1)
	f.calls[key] = call
	return call, true
}

func (f *flights) land(key int, call *sync.WaitGroup) {
	f.mu.Lock()
	delete(f.calls, key)
	f.mu.Unlock()
	call.Done()
}

// singleFlight has a leader that returns on an error without landing. Everybody who wants the same waits for it from then on.
func singleFlight(l load) {
	f := &flights{calls: map[int]*sync.WaitGroup{}}
	l.serve(func(n int) {
		key := n % l.rare
		call, leader := f.join(key)
		if !leader {
			call.Wait() // leak: request evidence=growing cause=wait_group_never_done
			return
		}
		if err := reserve(n, l.unlucky(n)); err != nil {
			return
		}
		f.land(key, call)
	})
}

func singleFlightFixed(l load) {
	f := &flights{calls: map[int]*sync.WaitGroup{}}
	l.serve(func(n int) {
		key := n % l.rare
		call, leader := f.join(key)
		if !leader {
			call.Wait()
			return
		}
		defer f.land(key, call)
		if err := reserve(n, l.unlucky(n)); err != nil {
			return
		}
	})
}
