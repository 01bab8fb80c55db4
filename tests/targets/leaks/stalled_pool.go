// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("stalled_pool", stalledPool, stalledPoolFixed)

const poolSize = 4

// stalledPool has a few workers and a queue; what finds the queue full is turned away. Workers that ask for confirmation of the unlucky
// never come back, until there are none: the queue stays full, and the number of goroutines as it is.
func stalledPool(l load) {
	confirmed := make(chan int)
	runPool(l, func(n int) {
		if l.spoilt(n) {
			use(<-confirmed) // leak: worker evidence=stalled cause=receive_never_satisfied
		}
		use(ask(n))
	})
}

func stalledPoolFixed(l load) {
	confirmed := make(chan int)
	runPool(l, func(n int) {
		if l.spoilt(n) {
			select {
			case v := <-confirmed:
				use(v)
			default:
			}
		}
		use(ask(n))
	})
}

func runPool(l load, work func(int)) {
	queue := make(chan int, 2*poolSize)
	for i := 0; i < poolSize; i++ {
		go func() { // leak-go: worker
			for n := range queue {
				work(n)
			}
		}()
	}
	turnedAway := 0
	l.each(func(n int) {
		select {
		case queue <- n:
		default:
			turnedAway++
		}
	})
}
