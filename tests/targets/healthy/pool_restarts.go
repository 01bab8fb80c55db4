// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

var _ = register("pool_restarts", poolRestarts)

// poolRestarts replaces its pool of workers every minute, by one that is a little larger or smaller, and lets the old one end its work.
func poolRestarts(minute time.Duration) {
	for n := 0; ; n++ {
		jobs := make(chan int)
		var workers sync.WaitGroup
		for i := 0; i < 6+n%4; i++ {
			workers.Add(1)
			go func() {
				defer workers.Done()
				for job := range jobs {
					use(job)
				}
			}()
		}
		for job := 0; job < 10; job++ {
			time.Sleep(minute / 10)
			jobs <- job
		}
		close(jobs)
		workers.Wait()
	}
}
