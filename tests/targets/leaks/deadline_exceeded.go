// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"sync/atomic"
)

var _ = register("deadline_exceeded", deadlineExceeded, deadlineExceededFixed)

const slots = 2

// deadlineExceeded stops waiting for a callee when its deadline has passed, while the callee goes on to wait for one of the few slots,
// which those that failed have not given back.
func deadlineExceeded(l load) {
	free := make(chan struct{}, slots)
	l.each(func(n int) {
		if !l.unlucky(n) {
			use(ask(n))
			return
		}
		withDeadline(func(_ context.Context, done *atomic.Bool) {
			free <- struct{}{} // leak: callee evidence=growing cause=send_buffer_full
			use(ask(n))
			done.Store(true)
		})
	})
}

func deadlineExceededFixed(l load) {
	free := make(chan struct{}, slots)
	l.each(func(n int) {
		if !l.unlucky(n) {
			use(ask(n))
			return
		}
		withDeadline(func(ctx context.Context, done *atomic.Bool) {
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return
			}
			defer func() { <-free }()
			use(ask(n))
			done.Store(true)
		})
	})
}

func withDeadline(call func(context.Context, *atomic.Bool)) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var done atomic.Bool
	go call(ctx, &done) // leak-go: callee
	<-ctx.Done()
	if done.Load() {
		use(1)
	}
}
