// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("standby", standby)

// standby has consumers of several queues, most of which stay empty.
func standby(minute time.Duration) {
	busy := make(chan int)
	queues := []chan int{busy, make(chan int), make(chan int, 10), make(chan int, 100)}
	for _, queue := range queues {
		for i := 0; i < 8; i++ {
			go func(queue <-chan int) {
				for job := range queue {
					use(job)
				}
			}(queue)
		}
	}
	every(minute/120, func(n int) {
		busy <- n
		use(len(queues[1+n%3]))
	})
}
