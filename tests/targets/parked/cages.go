// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/targets/internal/console"
)

// Calls from the goroutine's first function to the one that blocks, both included.
const depth = 12

// cages holds what the goroutines wait for. All of it stays reachable, so that no profile may call them leaked.
type cages struct {
	all     []*cage
	started atomic.Int64
}

type cage struct {
	values chan int
	other  chan int
	lock   sync.Mutex
	group  sync.WaitGroup
}

func (c *cages) park(args []string) (string, error) {
	n, err := console.Count(args)
	if err != nil {
		return "", err
	}
	for i := len(c.all); i < n; i++ {
		one := &cage{values: make(chan int), other: make(chan int)}
		one.lock.Lock()
		one.group.Add(1)
		c.all = append(c.all, one)
		// The mix of a server: most wait for a value.
		switch i % 8 {
		case 0, 1, 2:
			go c.call(depth-1, func() { <-one.values })
		case 3, 4:
			go c.call(depth-1, func() {
				select {
				case <-one.values:
				case <-one.other:
				}
			})
		case 5:
			go c.call(depth-1, func() { one.values <- 1 })
		case 6:
			go c.call(depth-1, one.lock.Lock)
		case 7:
			go c.call(depth-1, one.group.Wait)
		}
	}
	for c.started.Load() < int64(len(c.all)) {
		time.Sleep(10 * time.Millisecond)
	}
	runtime.GC() // what the growing left behind is not what is to be measured
	return "", nil
}

//go:noinline
func (c *cages) call(more int, block func()) {
	if more > 1 {
		c.call(more-1, block)
		return
	}
	c.started.Add(1)
	block()
}
