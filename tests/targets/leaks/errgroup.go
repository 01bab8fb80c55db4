// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"sync"
)

var _ = register("errgroup", errGroup, errGroupFixed)

// group is golang.org/x/sync/errgroup in short: the first error cancels the context, Wait waits for all.
type group struct {
	all    sync.WaitGroup
	once   sync.Once
	cancel func()
	err    error
}

func newGroup() (*group, context.Context) {
	ctx, cancel := context.WithCancel(context.Background())
	return &group{cancel: cancel}, ctx
}

func (g *group) start(f func() error) {
	g.all.Add(1)
	go func() { // leak-go: sender
		defer g.all.Done()
		if err := f(); err != nil {
			g.once.Do(func() {
				g.err = err
				g.cancel()
			})
		}
	}()
}

func (g *group) wait() error {
	g.all.Wait() // leak: request evidence=growing cause=wait_group_never_done
	g.cancel()
	return g.err
}

// errGroup has one goroutine of a group send rows to another. When that fails the sender does not notice, and the group never ends.
func errGroup(l load) {
	l.serve(func(n int) {
		g, _ := newGroup()
		rows := make(chan int)
		g.start(func() error {
			defer close(rows)
			for row := 0; row < 3; row++ {
				rows <- row // leak: sender evidence=growing cause=send_unbuffered_no_receiver
			}
			return nil
		})
		g.start(func() error { return takeRows(rows, l.unlucky(n)) })
		if g.wait() == nil {
			use(n)
		}
	})
}

func errGroupFixed(l load) {
	l.serve(func(n int) {
		g, ctx := newGroup()
		rows := make(chan int)
		g.start(func() error {
			defer close(rows)
			for row := 0; row < 3; row++ {
				select {
				case rows <- row:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
		g.start(func() error { return takeRows(rows, l.unlucky(n)) })
		if g.wait() == nil {
			use(n)
		}
	})
}

func takeRows(rows <-chan int, fails bool) error {
	for row := range rows {
		if fails {
			return errNoStock
		}
		use(row)
	}
	return nil
}
