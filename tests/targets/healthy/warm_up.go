// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("warm_up", warmUp)

// warmUp starts all that it will ever need in its first two minutes, most of which then waits for work.
func warmUp(minute time.Duration) {
	work := make(chan int)
	every(minute/60, func(n int) {
		if n <= 120 {
			go func() {
				for job := range work {
					use(job)
				}
			}()
		}
		if n%10 == 0 {
			work <- n
		}
	})
}
