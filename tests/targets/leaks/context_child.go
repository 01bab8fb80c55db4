// SPDX-License-Identifier: Apache-2.0

package main

import "context"

var _ = register("context_child", contextChild, contextChildFixed)

// jobContext is a context of a framework's own: package context can't register children with it, and has a goroutine watch it for
// each of them.
type jobContext struct {
	context.Context
	done chan struct{}
}

func (c jobContext) Done() <-chan struct{} { return c.done }

// contextChild derives a context for each query from one that lives as long as the program, and returns on an error without
// cancelling it.
// leak: created=context.*propagateCancel blocked=context.*propagateCancel* evidence=growing cause=context_never_cancelled
func contextChild(l load) {
	parent := jobContext{context.Background(), make(chan struct{})}
	l.serve(func(n int) {
		ctx, cancel := context.WithCancel(parent)
		if l.unlucky(n) {
			return
		}
		query(ctx, n)
		cancel()
	})
}

func contextChildFixed(l load) {
	parent := jobContext{context.Background(), make(chan struct{})}
	l.serve(func(n int) {
		ctx, cancel := context.WithCancel(parent)
		defer cancel()
		if l.unlucky(n) {
			return
		}
		query(ctx, n)
	})
}

func query(ctx context.Context, n int) {
	if ctx.Err() == nil {
		use(ask(n))
	}
}
