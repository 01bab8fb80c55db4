// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("slow_jobs", slowJobs)

// slowJobs has a queue that is always full, and workers that wait for an answer most of a minute for each job: slow, but they get on.
func slowJobs(minute time.Duration) {
	queue := make(chan int, 5)
	for i := 0; i < 3; i++ {
		go func() {
			for n := range queue {
				answer := make(chan int)
				time.AfterFunc(minute*7/10, func() { answer <- n })
				use(<-answer)
			}
		}()
	}
	for n := 1; ; n++ {
		queue <- n
	}
}
