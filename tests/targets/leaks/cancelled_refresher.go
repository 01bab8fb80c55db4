// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

var _ = register("cancelled_refresher", cancelledRefresher, cancelledRefresherFixed)

// cancelledRefresher replaces its refresher when its settings change, once. The old one is told to end by its context, and does not
// look at it: it waits for a change that nobody sends it any more. It is one goroutine, and grows to no second.
func cancelledRefresher(l load) {
	runRefreshers(l, func(ctx context.Context, changes <-chan int) {
		for {
			n := <-changes // leak: refresher evidence=cancelled cause=receive_never_satisfied severity=info
			refresh(ctx, n)
		}
	})
}

func cancelledRefresherFixed(l load) {
	runRefreshers(l, func(ctx context.Context, changes <-chan int) {
		for {
			select {
			case n := <-changes:
				refresh(ctx, n)
			case <-ctx.Done():
				return
			}
		}
	})
}

func runRefreshers(l load, run func(context.Context, <-chan int)) {
	start := func() (chan<- int, context.CancelFunc) {
		ctx, stop := context.WithCancel(context.Background())
		changes := make(chan int)
		go func() { // leak-go: refresher
			run(ctx, changes)
		}()
		return changes, stop
	}
	changes, stop := start()
	l.each(func(n int) {
		changes <- n
		if n == 2*l.rare {
			stop()
			changes, stop = start()
		}
	})
}

func refresh(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if ctx.Err() == nil {
		use(ask(n))
	}
}
