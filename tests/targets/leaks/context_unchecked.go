// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

var _ = register("context_unchecked", contextUnchecked, contextUncheckedFixed)

// contextUnchecked tries to deliver a message until it succeeds. It has the context of the request, and does not look at it.
func contextUnchecked(l load) {
	l.serve(func(n int) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*l.period)
		defer cancel()
		go func() { // leak-go
			for wait := l.period; deliver(ctx, l.unlucky(n)) != nil; wait += wait / 4 {
				if wait > 10*l.period {
					wait = 10 * l.period
				}
				time.Sleep(wait) // leak: evidence=accumulating cause=loop_without_exit
			}
		}()
		use(ask(n))
	})
}

func contextUncheckedFixed(l load) {
	l.serve(func(n int) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*l.period)
		go func() {
			defer cancel()
			for wait := l.period; deliver(ctx, l.unlucky(n)) != nil; wait += wait / 4 {
				select {
				case <-time.After(wait):
				case <-ctx.Done():
					return
				}
			}
		}()
		use(ask(n))
	})
}

func deliver(ctx context.Context, fails bool) error {
	if fails || ctx.Err() != nil {
		return errNoStock
	}
	return nil
}
