// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// yielded gives the processor away, which is no park.
func yielded(s *section) (int, error) {
	for i := 0; i < crowd; i++ {
		go s.counted(func() {
			for k := 0; k < 20; k++ {
				runtime.Gosched()
			}
		})()
	}
	return 0, nil
}

// pinned passes values between goroutines that own their threads; those end with them.
func pinned(s *section) (int, error) {
	values := make(chan int)
	go s.counted(func() {
		runtime.LockOSThread()
		for i := 0; i < transfers; i++ {
			values <- i
		}
	})()
	go s.counted(func() {
		runtime.LockOSThread()
		sum := 0
		for i := 0; i < transfers; i++ {
			sum += <-values
		}
		s.expect("sum", sum, sumTo(transfers))
		runtime.UnlockOSThread()
	})()
	return transfers, nil
}

var errOnPurpose = errors.New("on purpose")

// panicked ends goroutines by a panic that is recovered, by one that panics again, and by Goexit.
func panicked(s *section) (int, error) {
	for i := 0; i < crowd; i++ {
		calls := i % 7
		go s.counted(func() {
			defer func() {
				if recovered := recover(); recovered != errOnPurpose {
					s.check(fmt.Errorf("recovered %v", recovered))
				}
			}()
			panicDeep(calls)
		})()
		go s.counted(func() {
			defer func() {
				if recover() == nil {
					s.check(errors.New("nothing to recover"))
				}
			}()
			defer func() { panic("again") }()
			var nobody *section
			nobody.name = "a fault of memory"
		})()
		go s.counted(func() {
			defer func() {
				if recovered := recover(); recovered != nil {
					s.check(fmt.Errorf("Goexit was a panic: %v", recovered))
				}
			}()
			runtime.Goexit()
		})()
	}
	return 0, nil
}

//go:noinline
func panicDeep(calls int) {
	if calls == 0 {
		panic(errOnPurpose)
	}
	defer func() {}()
	panicDeep(calls - 1)
}

// grown has one goroutine for each depth of calls sleep and send a value there: some of them find their stack too small
// just in the runtime's own functions. At each transfer whoever comes first parks, and the other does not.
func grown(s *section) (int, error) {
	const depths = 128
	values := make(chan int)
	for depth := 0; depth < depths; depth++ {
		depth := depth
		go s.counted(func() {
			time.Sleep(1) // the next one finds its timer made, and calls nothing before it parks that could grow the stack
			descend(depth, func() { time.Sleep(1) })
			sent := 0
			descend(depth, func() { values <- depth; sent++ })
			s.expect("values sent", sent, 1)
		})()
	}
	go s.counted(func() {
		sum := 0
		for depth := 0; depth < depths; depth++ {
			descend(depth, func() { sum += <-values })
		}
		s.expect("sum", sum, sumTo(depths))
		s.expect("calls", fill(2000), 2000)
	})()
	return 3 * depths, nil
}

// descend has a small frame, so that the places where stacks end are met at every distance.
//
//go:noinline
func descend(calls int, then func()) {
	if calls == 0 {
		then()
		return
	}
	descend(calls-1, then)
}

// fill has a large one.
//
//go:noinline
func fill(calls int) int {
	var frame [100]byte
	if calls == 0 {
		return 0
	}
	frame[calls%len(frame)] = 1
	return fill(calls-1) + int(frame[calls%len(frame)])
}

type node struct {
	left, right *node
}

// collected has goroutines allocate while garbage is collected all the time.
func collected(s *section) (int, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	for i := 0; i < 4; i++ {
		go s.counted(func() {
			for k := 0; k < 4; k++ {
				s.expect("nodes", count(tree(10)), 1<<11-1)
			}
			runtime.GC()
		})()
	}
	s.alive.Wait()
	runtime.GC()
	return unknown, nil
}

func tree(height int) *node {
	if height == 0 {
		return &node{}
	}
	return &node{tree(height - 1), tree(height - 1)}
}

func count(n *node) int {
	if n == nil {
		return 0
	}
	return 1 + count(n.left) + count(n.right)
}
