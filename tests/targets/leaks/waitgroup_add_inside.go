// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("waitgroup_add_inside", waitGroupAddInside, waitGroupAddInsideFixed)

// waitGroupAddInside calls Add in the goroutines that it will wait for: Wait comes first, finds nothing to wait for, and the results are
// sent to nobody.
func waitGroupAddInside(l load) {
	l.each(func(n int) {
		if !l.unlucky(n) {
			use(ask(n))
			return
		}
		var workers sync.WaitGroup
		results := make(chan int)
		for i := 0; i < 2; i++ {
			go func() { // leak-go
				use(ask(n)) // so that Add is late on any number of cores
				workers.Add(1)
				defer workers.Done()
				results <- ask(n) // leak: evidence=growing cause=send_unbuffered_no_receiver
			}()
		}
		collect(results, &workers)
	})
}

func waitGroupAddInsideFixed(l load) {
	l.each(func(n int) {
		if !l.unlucky(n) {
			use(ask(n))
			return
		}
		var workers sync.WaitGroup
		results := make(chan int)
		for i := 0; i < 2; i++ {
			workers.Add(1)
			go func() {
				defer workers.Done()
				use(ask(n))
				results <- ask(n)
			}()
		}
		collect(results, &workers)
	})
}

// collect takes results until all workers have ended.
func collect(results <-chan int, workers *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() {
		workers.Wait()
		close(ended)
	}()
	for {
		select {
		case v := <-results:
			use(v)
		case <-ended:
			return
		}
	}
}
