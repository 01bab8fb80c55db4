// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

var _ = register("periodic", periodic)

// periodic does the same job every now and then with workers that it starts for it, and every third time takes far longer.
func periodic(minute time.Duration) {
	every(minute/3, func(n int) {
		took := minute / 60
		if n%3 == 0 {
			took = minute / 4
		}
		jobs := make(chan int)
		var workers sync.WaitGroup
		for i := 0; i < 8; i++ {
			workers.Add(1)
			go func() {
				defer workers.Done()
				for job := range jobs {
					time.Sleep(took / 4)
					use(job)
				}
			}()
		}
		for job := 0; job < 32; job++ {
			jobs <- job
		}
		close(jobs)
		workers.Wait()
	})
}
