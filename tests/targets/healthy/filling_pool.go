// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("filling_pool", fillingPool)

const mostWorkers = 24

// fillingPool starts a worker when there is a job and none is free, until the pool is full. There are more and more jobs at a time.
func fillingPool(minute time.Duration) {
	jobs := make(chan int)
	workers := 0
	start := func() {
		workers++
		go func() {
			for job := range jobs {
				time.Sleep(minute / 200)
				use(job)
			}
		}()
	}
	every(minute/120, func(n int) {
		for i := 0; i <= n/20 && i <= mostWorkers; i++ {
			select {
			case jobs <- i:
			default:
				if workers < mostWorkers {
					start()
				}
				jobs <- i
			}
		}
	})
}
