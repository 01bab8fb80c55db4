// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("rising_load", risingLoad)

// risingLoad has more requests each minute than in the one before; each takes a few seconds, waiting for an answer.
func risingLoad(minute time.Duration) {
	begun := time.Now()
	every(minute/60, func(int) {
		for i := 0; i <= int(2*time.Since(begun)/minute); i++ {
			answer := make(chan int)
			time.AfterFunc(minute/15, func() { answer <- 1 })
			go func() { use(<-answer) }()
		}
	})
}
