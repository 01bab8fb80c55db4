// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("select_abandoned", selectAbandoned, selectAbandonedFixed)

type settings struct {
	changes chan int
	stop    chan struct{}
}

// selectAbandoned loads its settings anew now and then. Who watches the old ones waits on channels that nobody has any more.
func selectAbandoned(l load) {
	current := newSettings()
	go watchSettings(current)
	l.each(func(n int) {
		current.changes <- n
		if l.unlucky(n) {
			current = newSettings()
			go watchSettings(current) // leak-go
		}
	})
}

func selectAbandonedFixed(l load) {
	current := newSettings()
	go watchSettings(current)
	l.each(func(n int) {
		current.changes <- n
		if l.unlucky(n) {
			close(current.stop)
			current = newSettings()
			go watchSettings(current)
		}
	})
}

func newSettings() settings { return settings{make(chan int), make(chan struct{})} }

func watchSettings(s settings) {
	for {
		select { // leak: evidence=growing cause=select_without_exit
		case v := <-s.changes:
			use(v)
		case <-s.stop:
			return
		}
	}
}
