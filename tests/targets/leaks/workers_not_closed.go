// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("workers_not_closed", workersNotClosed, workersNotClosedFixed)

// workersNotClosed starts workers for each large request and does not tell them that there is no more work.
func workersNotClosed(l load) {
	l.serve(func(n int) {
		if !l.unlucky(n) {
			use(ask(n))
			return
		}
		jobs := make(chan int)
		var done sync.WaitGroup
		for i := 0; i < 2; i++ {
			go func() { // leak-go
				for job := range jobs { // leak: evidence=growing cause=range_never_closed
					use(ask(job))
					done.Done()
				}
			}()
		}
		for job := 0; job < 4; job++ {
			done.Add(1)
			jobs <- job
		}
		done.Wait()
	})
}

func workersNotClosedFixed(l load) {
	l.serve(func(n int) {
		if !l.unlucky(n) {
			use(ask(n))
			return
		}
		jobs := make(chan int)
		var workers sync.WaitGroup
		for i := 0; i < 2; i++ {
			workers.Add(1)
			go func() {
				defer workers.Done()
				for job := range jobs {
					use(ask(job))
				}
			}()
		}
		for job := 0; job < 4; job++ {
			jobs <- job
		}
		close(jobs)
		workers.Wait()
	})
}
