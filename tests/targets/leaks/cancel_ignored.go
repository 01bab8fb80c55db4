// SPDX-License-Identifier: Apache-2.0

package main

import "context"

var _ = register("cancel_ignored", cancelIgnored, cancelIgnoredFixed)

// cancelIgnored waits for a result of which the producer keeps silent once the context is cancelled.
func cancelIgnored(l load) {
	l.each(func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		results := make(chan int)
		go produce(ctx, results)
		go func() { // leak-go
			use(<-results)
			use(<-results) // leak: evidence=growing|cancelled cause=receive_never_satisfied
		}()
		cancelUnlessLucky(l, n, cancel)
	})
}

func cancelIgnoredFixed(l load) {
	l.each(func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		results := make(chan int)
		go produce(ctx, results)
		go func() {
			for i := 0; i < 2; i++ {
				select {
				case v := <-results:
					use(v)
				case <-ctx.Done():
					return
				}
			}
		}()
		cancelUnlessLucky(l, n, cancel)
	})
}

// produce makes two results, unless it is told to stop.
func produce(ctx context.Context, results chan<- int) {
	select {
	case results <- ask(1):
	case <-ctx.Done():
		return
	}
	for i := 0; i < 4; i++ {
		use(ask(i))
		if ctx.Err() != nil {
			return
		}
	}
	select {
	case results <- ask(2):
	case <-ctx.Done():
	}
}

// cancelUnlessLucky cancels soon after the first result, or when all must be over.
func cancelUnlessLucky(l load, n int, cancel func()) {
	use(ask(n) + ask(n))
	if !l.unlucky(n) {
		for i := 0; i < 20; i++ {
			use(ask(n))
		}
	}
	cancel()
}
