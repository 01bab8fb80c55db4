// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("pool_died", poolDied, poolDiedFixed)

const diedWorkers = 3

// poolDied has workers that survive a panic, but not as workers: the recover stands outside of their loop. When the last of them has gone
// nobody takes jobs.
func poolDied(l load) {
	jobs := make(chan int)
	for i := 0; i < diedWorkers; i++ {
		go func() {
			defer func() { _ = recover() }()
			for n := range jobs {
				plugIn(n, true)
			}
		}()
	}
	submitTheUnlucky(l, jobs)
}

func poolDiedFixed(l load) {
	jobs := make(chan int)
	for i := 0; i < diedWorkers; i++ {
		go func() {
			for n := range jobs {
				func() {
					defer func() { _ = recover() }()
					plugIn(n, true)
				}()
			}
		}()
	}
	submitTheUnlucky(l, jobs)
}

func submitTheUnlucky(l load, jobs chan<- int) {
	l.serve(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			jobs <- n // leak: request evidence=growing cause=send_unbuffered_no_receiver
		}
	})
}
