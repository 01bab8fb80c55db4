// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("cond_no_signal", condNoSignal, condNoSignalFixed)

type parcel struct {
	cond  *sync.Cond
	ready bool
}

func newParcel() *parcel { return &parcel{cond: sync.NewCond(&sync.Mutex{})} }

// condNoSignal waits for parcels to be ready. One that is given up becomes ready, too, but nobody is told.
func condNoSignal(l load) {
	l.each(func(n int) {
		p := newParcel()
		go func() { // leak-go
			p.cond.L.Lock()
			defer p.cond.L.Unlock()
			for !p.ready {
				p.cond.Wait() // leak: evidence=growing cause=cond_never_signalled
			}
			use(n)
		}()
		use(ask(n))
		p.cond.L.Lock()
		p.ready = true
		p.cond.L.Unlock()
		if !l.unlucky(n) {
			p.cond.Broadcast()
		}
	})
}

func condNoSignalFixed(l load) {
	l.each(func(n int) {
		p := newParcel()
		go func() {
			p.cond.L.Lock()
			defer p.cond.L.Unlock()
			for !p.ready {
				p.cond.Wait()
			}
			use(n)
		}()
		use(ask(n))
		p.cond.L.Lock()
		p.ready = true
		p.cond.L.Unlock()
		p.cond.Broadcast()
	})
}
