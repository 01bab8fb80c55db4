// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How much each section does in one go.
const (
	crowd     = 16  // goroutines that wait for one and the same thing
	transfers = 100 // values that pass through a channel
)

// unknown is what a section says that cannot tell how often its goroutines park.
const unknown = -1

// A section uses one feature. Its goroutines start in the function that it is named after, and nowhere else.
type section struct {
	name string
	// run starts goroutines with counted and returns how often they park, or will have parked by their end, or unknown.
	run func(*section) (int, error)

	started, ended atomic.Int64
	parks          atomic.Int64 // unknown once any was
	alive          sync.WaitGroup
	mu             sync.Mutex
	err            error // the first wrong result
}

// goThrough does it once and returns when all its goroutines have ended.
func (s *section) goThrough() error {
	parks, err := s.run(s)
	if err != nil {
		return err // those that wait now are left behind: the program has failed
	}
	s.alive.Wait()
	if started, ended := s.started.Load(), s.ended.Load(); started != ended {
		return fmt.Errorf("%d goroutines have started and %d ended", started, ended)
	}
	if parks == unknown {
		s.parks.Store(unknown)
	} else if s.parks.Load() != unknown {
		s.parks.Add(int64(parks))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// counted counts one start and returns what to start: f, whose end is counted too.
func (s *section) counted(f func()) func() {
	s.started.Add(1)
	s.alive.Add(1)
	return func() {
		defer s.alive.Done()
		defer s.ended.Add(1)
		f()
	}
}

func (s *section) check(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

func (s *section) expect(what string, got, want int) {
	if got != want {
		s.check(fmt.Errorf("%s: %d, not %d", what, got, want))
	}
}

// sumTo is 0 + 1 + … + n-1.
func sumTo(n int) int { return n * (n - 1) / 2 }

var traceback = make([]byte, 1<<20)

// awaitParked returns when n goroutines are parked in, or in calls from, a function whose name begins like that. Main
// alone may call it.
func awaitParked(n int, function string) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		text := string(traceback[:runtime.Stack(traceback, true)])
		parked := 0
		for _, goroutine := range strings.Split(text, "\n\n")[1:] { // the first is main
			if isParked(goroutine) && strings.Contains(goroutine, "\n"+function) {
				parked++
			}
		}
		if parked == n {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d are parked in %s:\n%s", parked, n, function, text)
		}
		time.Sleep(50 * time.Microsecond)
	}
}

// isParked tells whether a goroutine's traceback says that it waits for the program, not for the garbage collector.
func isParked(goroutine string) bool {
	_, rest, _ := strings.Cut(goroutine, " [")
	for _, other := range []string{"running", "runnable", "syscall", "copystack", "preempted", "GC "} {
		if strings.HasPrefix(rest, other) {
			return false
		}
	}
	return true
}
