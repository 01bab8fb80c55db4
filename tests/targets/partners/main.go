// SPDX-License-Identifier: Apache-2.0

// Partners starts goroutines that wait: for a receiver, a sender, the end of a channel, a lock, and so on. Most are let go by a
// function whose name tells what it does; those that leak wait in the same places for good. Its commands:
//
//	work N      in each way, N goroutines that are let go, and N that leak; answers N
//	silence N   N that leak, of a kind of which none is let go; answers N
//	session N   N that wait for what a session of their own will tell them; answers N
//	end         ends the sessions, without a word to those who wait; answers how many there were
//
// and those of package console.
package main

import (
	"strconv"
	"sync"
	"time"

	"example.com/targets/internal/console"
)

func main() {
	console.Serve(map[string]console.Command{"work": work, "silence": silence, "session": sessions, "end": endSessions})
}

func work(args []string) (string, error) {
	n, err := console.Count(args)
	if err != nil {
		return "", err
	}
	for i := 0; i < n; i++ {
		for _, way := range []func() func(){sends, receives, ranges, selects, locks, waits, condition} {
			way()
			letGo := way()
			time.Sleep(2 * time.Millisecond) // it waits by now
			letGo()
		}
	}
	return strconv.Itoa(n), nil
}

func silence(args []string) (string, error) {
	n, err := console.Count(args)
	if err != nil {
		return "", err
	}
	for i := 0; i < n; i++ {
		go forgotten(make(chan int))
	}
	return strconv.Itoa(n), nil
}

var ends []chan int // of the sessions that last

func sessions(args []string) (string, error) {
	n, err := console.Count(args)
	if err != nil {
		return "", err
	}
	for i := 0; i < n; i++ {
		end := make(chan int)
		ends = append(ends, end)
		go session(end)
	}
	return strconv.Itoa(n), nil
}

//go:noinline
func session(end chan int) {
	told := make(chan int)
	go func() { <-told }()
	<-end
}

func endSessions([]string) (string, error) {
	n := len(ends)
	for _, end := range ends {
		close(end)
	}
	ends = nil
	return strconv.Itoa(n), nil
}

//go:noinline
func forgotten(values chan int) { <-values }

func sends() func() {
	values := make(chan int)
	go func() { values <- 1 }()
	return func() { receiveOne(values) }
}

//go:noinline
func receiveOne(values chan int) { <-values }

func receives() func() {
	values := make(chan int)
	go func() { <-values }()
	return func() { sendOne(values) }
}

//go:noinline
func sendOne(values chan int) { values <- 1 }

func ranges() func() {
	values := make(chan int)
	go func() {
		for range values {
		}
	}()
	return func() { closeIt(values) }
}

//go:noinline
func closeIt(values chan int) { close(values) }

func selects() func() {
	values, quit := make(chan int), make(chan int)
	go func() {
		select {
		case <-values:
		case <-quit:
		}
	}()
	return func() { tellToQuit(quit) }
}

//go:noinline
func tellToQuit(quit chan int) {
	select {
	case quit <- 1:
	case <-time.After(time.Hour):
	}
}

func locks() func() {
	lock := new(sync.Mutex)
	lock.Lock()
	go func() { lock.Lock() }()
	return func() { unlockIt(lock) }
}

//go:noinline
func unlockIt(lock *sync.Mutex) { lock.Unlock() }

func waits() func() {
	group := new(sync.WaitGroup)
	group.Add(1)
	go func() { group.Wait() }()
	return func() { sayDone(group) }
}

//go:noinline
func sayDone(group *sync.WaitGroup) { group.Done() }

func condition() func() {
	cond := sync.NewCond(new(sync.Mutex))
	go func() {
		cond.L.Lock()
		cond.Wait()
	}()
	return func() { signalIt(cond) }
}

//go:noinline
func signalIt(cond *sync.Cond) { cond.Signal() }
