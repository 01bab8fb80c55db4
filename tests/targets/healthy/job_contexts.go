// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

var _ = register("job_contexts", jobContexts)

// jobContexts has workers that make a context for each job, and end it with the job. Jobs are rare: meanwhile their frames are full of
// contexts that have ended. Now and then all of them are replaced, and take their time to end.
func jobContexts(minute time.Duration) {
	jobs := make(chan int)
	start := func() context.CancelFunc {
		all, stop := context.WithCancel(context.Background())
		for i := 0; i < 8; i++ {
			go func() {
				for {
					select {
					case n := <-jobs:
						ctx, cancel := context.WithTimeout(all, minute)
						doFor(ctx, n, minute/200)
						cancel()
					case <-all.Done():
						doFor(all, 0, minute/4) // it writes out what it has
						return
					}
				}
			}()
		}
		return stop
	}
	stop := start()
	every(minute/30, func(n int) {
		jobs <- n
		if n%60 == 0 {
			stop()
			stop = start()
		}
	})
}

func doFor(ctx context.Context, n int, long time.Duration) {
	time.Sleep(long)
	if ctx.Err() == nil {
		use(n)
	}
}
