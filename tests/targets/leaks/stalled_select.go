// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("stalled_select", stalledSelect, stalledSelectFixed)

// stalledSelect has workers that split each job, and wait for both halves. A half that fails says nothing of its end, so there are
// fewer and fewer workers, until there are none: the one who hands out the jobs is stuck too, and no number rises.
func stalledSelect(l load) {
	selectPool(l, func(n int) {
		var halves sync.WaitGroup
		halves.Add(2)
		for i := 0; i < 2; i++ {
			go func(i int) {
				if i == 1 && l.spoilt(n) {
					return
				}
				use(ask(n + i))
				halves.Done()
			}(i)
		}
		halves.Wait() // leak: worker evidence=stalled cause=wait_group_never_done
	})
}

func stalledSelectFixed(l load) {
	selectPool(l, func(n int) {
		var halves sync.WaitGroup
		halves.Add(2)
		for i := 0; i < 2; i++ {
			go func(i int) {
				defer halves.Done()
				if i == 1 && l.spoilt(n) {
					return
				}
				use(ask(n + i))
			}(i)
		}
		halves.Wait()
	})
}

func selectPool(l load, work func(int)) {
	jobs := make(chan int)
	quit := make(chan struct{})
	for i := 0; i < poolSize; i++ {
		go func() { // leak-go: worker
			for {
				select {
				case n := <-jobs:
					work(n)
				case <-quit:
					return
				}
			}
		}()
	}
	go l.each(func(n int) { jobs <- n })
	l.each(func(int) { use(1) }) // somebody asks whether the service is alive, and it says that it is
	close(quit)
}
