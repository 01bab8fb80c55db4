// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("bursts", bursts)

// bursts has forty requests at once every half minute, which take a while, and nothing between.
func bursts(minute time.Duration) {
	every(minute/2, func(n int) {
		for i := 0; i < 40; i++ {
			answer := make(chan int)
			go func() { answer <- n }()
			go func() {
				time.Sleep(minute / 30)
				use(<-answer)
			}()
		}
	})
}
