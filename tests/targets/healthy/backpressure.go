// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("backpressure", backpressure)

// backpressure has a queue that is full most of the time: who wants to add to it waits for a while, in turn.
func backpressure(minute time.Duration) {
	queue := make(chan int, 10)
	go every(minute/60, func(int) {
		for i := 0; i < 4; i++ {
			use(<-queue)
		}
	})
	waiting := make(chan struct{}, 30) // no more than so many may wait
	every(minute/300, func(n int) {
		select {
		case waiting <- struct{}{}:
			go func() {
				queue <- n
				<-waiting
			}()
		default:
		}
	})
}
