// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("cond_signal_one", condSignalOne, condSignalOneFixed)

// condSignalOne has several readers wait for the same document, and wakes one of them.
func condSignalOne(l load) {
	l.each(func(n int) {
		p := newParcel()
		var begun sync.WaitGroup
		for i := 0; i < 2; i++ {
			begun.Add(1)
			go p.await(&begun) // leak-go
		}
		begun.Wait()
		p.arrive()
		p.cond.Signal()
		if !l.unlucky(n) {
			p.cond.Signal()
		}
	})
}

func condSignalOneFixed(l load) {
	l.each(func(n int) {
		p := newParcel()
		var begun sync.WaitGroup
		for i := 0; i < 2; i++ {
			begun.Add(1)
			go p.await(&begun)
		}
		begun.Wait()
		p.arrive()
		p.cond.Broadcast()
	})
}

func (p *parcel) await(begun *sync.WaitGroup) {
	p.cond.L.Lock()
	defer p.cond.L.Unlock()
	begun.Done()
	for !p.ready {
		p.cond.Wait() // leak: evidence=growing cause=cond_never_signalled
	}
	use(1)
}

func (p *parcel) arrive() {
	p.cond.L.Lock()
	defer p.cond.L.Unlock()
	p.ready = true
}
