// SPDX-License-Identifier: Apache-2.0

// Touches starts goroutines that leak: more and more of them wait on the same few objects. Functions whose names tell
// what they do touch these, so that never more than one in twenty goes on; and others do the same to objects of the same
// types that none of those wait on. Its commands:
//
//	work    each kind once
//
// and those of package console.
package main

import (
	"sync"
	"time"

	"example.com/targets/internal/console"
)

func main() {
	console.Serve(map[string]console.Command{"work": work})
}

func work([]string) (string, error) {
	for _, kind := range []func() func(){takers, givers, choosers, lockers, sleepers, ranges, waiters} {
		touch := kind()
		for i := 0; i < 25; i++ {
			kind()
		}
		time.Sleep(2 * time.Millisecond) // they wait by now
		touch()
	}
	decoys()
	return "", nil
}

// --- Objects that all of a kind wait on ------------------------------------------------------------------------------

var offers = make(chan int)

func takers() func() {
	go func() { <-offers }()
	return func() { offer(offers) }
}

//go:noinline
func offer(values chan int) {
	select {
	case values <- 1:
	default:
	}
}

var full = func() chan int {
	values := make(chan int, 1)
	values <- 1
	return values
}()

func givers() func() {
	go func() { full <- 1 }()
	return func() {
		offer(full) // in vain
		take(full)
	}
}

//go:noinline
func take(values chan int) { <-values }

var choices, never = make(chan int), make(chan int)

func choosers() func() {
	go func() {
		select {
		case <-choices:
		case <-never:
		}
	}()
	return func() { choose(choices) }
}

//go:noinline
func choose(values chan int) {
	select {
	case values <- 1:
	case <-time.After(time.Hour):
	}
}

var lock = func() *sync.Mutex {
	lock := new(sync.Mutex)
	lock.Lock()
	return lock
}()

// Who gets the lock keeps it.
func lockers() func() {
	go func() { contend(lock) }()
	return func() { unlock(lock) }
}

//go:noinline
func contend(lock *sync.Mutex) { lock.Lock() }

//go:noinline
func unlock(lock *sync.Mutex) { lock.Unlock() }

var cond = sync.NewCond(new(sync.Mutex))

func sleepers() func() {
	go func() {
		cond.L.Lock()
		cond.Wait()
		cond.L.Unlock()
	}()
	return func() { wake(cond) }
}

//go:noinline
func wake(cond *sync.Cond) { cond.Signal() }

// --- An object for each, of which the oldest is done away with -------------------------------------------------------

var open []chan int

func ranges() func() {
	values := make(chan int)
	open = append(open, values)
	go func() {
		for range values {
		}
	}()
	return func() {
		end(open[0])
		open = open[1:]
	}
}

//go:noinline
func end(values chan int) { close(values) }

var owed []*sync.WaitGroup

func waiters() func() {
	group := new(sync.WaitGroup)
	group.Add(1)
	owed = append(owed, group)
	go func() { group.Wait() }()
	return func() {
		finish(owed[0])
		owed = owed[1:]
	}
}

//go:noinline
func finish(group *sync.WaitGroup) { group.Done() }

// --- What must not be told -------------------------------------------------------------------------------------------

//go:noinline
func decoys() {
	values, nowhere := make(chan int, 1), make(chan int)
	for i := 0; i < 10; i++ {
		values <- i
		<-values
		select {
		case values <- i:
		case <-nowhere:
		}
		<-values
	}
	close(values)
	var lock sync.Mutex
	for i := 0; i < 3; i++ {
		lock.Lock()
		var done sync.WaitGroup
		done.Add(1)
		go func() {
			lock.Lock()
			lock.Unlock()
			done.Done()
		}()
		time.Sleep(time.Millisecond) // it waits by now
		lock.Unlock()
		done.Wait()
	}
}
