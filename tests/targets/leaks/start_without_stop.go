// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("start_without_stop", startWithoutStop, startWithoutStopFixed)

// poller has to be stopped when it has been started.
type poller struct {
	poke chan int
	quit chan struct{}
}

func startPoller() *poller {
	p := &poller{make(chan int), make(chan struct{})}
	go p.run() // leak-go
	return p
}

func (p *poller) stop() { close(p.quit) }

func (p *poller) run() {
	for {
		select { // leak: evidence=growing cause=select_without_exit
		case n := <-p.poke:
			use(n)
		case <-p.quit:
			return
		}
	}
}

// startWithoutStop returns early, and does not stop what it has started.
func startWithoutStop(l load) {
	l.serve(func(n int) {
		p := startPoller()
		p.poke <- n
		if l.unlucky(n) {
			return
		}
		use(ask(n))
		p.stop()
	})
}

func startWithoutStopFixed(l load) {
	l.serve(func(n int) {
		p := startPoller()
		defer p.stop()
		p.poke <- n
		if l.unlucky(n) {
			return
		}
		use(ask(n))
	})
}
