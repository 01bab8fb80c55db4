// SPDX-License-Identifier: Apache-2.0

// Counts starts, parks and ends goroutines on command and keeps exact count, for tests that compare. Its commands:
//
//	spawn N     starts N workers; answers N when all are parked, each for the first and only time
//	release     lets all workers go; answers how many, when they have ended
//	churn N     starts N goroutines that never block; answers how many ran, when they have ended
//	pingpong N  two goroutines hand a value to and fro N times; answers N when they have ended
//	procs N     sets GOMAXPROCS; answers what it was before
//	counts      answers "spawned S exited E parks P", all of workers, "churned C pingpongs R"
//
// and those of package console.
package main

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"example.com/targets/internal/console"
)

var (
	workers []chan struct{} // one for each worker that waits

	spawned   int          // workers
	arrived   atomic.Int64 // workers that were about to park
	exited    atomic.Int64 // workers
	churned   atomic.Int64
	pingpongs int // round trips
)

func main() {
	console.Serve(map[string]console.Command{
		"spawn":    spawn,
		"release":  release,
		"churn":    churn,
		"pingpong": pingpong,
		"procs":    procs,
		"counts":   counts,
	})
}

func spawn(args []string) (string, error) {
	n, err := console.Count(args)
	if err != nil {
		return "", err
	}
	spawnWorkers(n)
	for arrived.Load() != int64(spawned) {
		time.Sleep(time.Millisecond)
	}
	// From the last arrival to its park it is some instructions; release checks that this was long enough.
	time.Sleep(200 * time.Millisecond)
	return strconv.Itoa(n), nil
}

func spawnWorkers(n int) {
	for i := 0; i < n; i++ {
		wake := make(chan struct{})
		workers = append(workers, wake)
		spawned++
		go worker(wake)
	}
}

func worker(wake <-chan struct{}) {
	arrived.Add(1)
	<-wake
	exited.Add(1)
}

func release([]string) (string, error) {
	n := len(workers)
	early := 0
	for _, wake := range workers {
		select {
		case wake <- struct{}{}: // goes only to one who is parked
		default:
			early++
			wake <- struct{}{}
		}
	}
	workers = nil
	for exited.Load() != int64(spawned) {
		time.Sleep(time.Millisecond)
	}
	settle()
	if early > 0 {
		return "", fmt.Errorf("%d of %d workers had not been parked", early, n)
	}
	return strconv.Itoa(n), nil
}

func churn(args []string) (string, error) {
	n, err := console.Count(args)
	if err != nil {
		return "", err
	}
	before := churned.Load()
	var batch sync.WaitGroup
	for i := 0; i < n; i++ {
		if i%1000 == 0 { // lest they pile up
			batch.Wait()
		}
		batch.Add(1)
		go func() {
			churned.Add(1)
			batch.Done()
		}()
	}
	batch.Wait()
	settle()
	return strconv.FormatInt(churned.Load()-before, 10), nil
}

func pingpong(args []string) (string, error) {
	n, err := console.Count(args)
	if err != nil {
		return "", err
	}
	ping, pong := make(chan int), make(chan int)
	var players sync.WaitGroup
	players.Add(2)
	go func() {
		defer players.Done()
		for i := range ping {
			pong <- i
		}
	}()
	go func() {
		defer players.Done()
		for i := 0; i < n; i++ {
			ping <- i
			if <-pong == i {
				pingpongs++
			}
		}
		close(ping)
	}()
	players.Wait()
	settle()
	return strconv.Itoa(n), nil
}

func procs(args []string) (string, error) {
	n, err := console.Count(args)
	if err != nil {
		return "", err
	}
	return strconv.Itoa(runtime.GOMAXPROCS(n)), nil
}

// settle returns when every goroutine but main and the parked workers has ended, for the runtime too.
func settle() {
	for runtime.NumGoroutine() != 1+len(workers) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
}

func counts([]string) (string, error) {
	return fmt.Sprintf("spawned %d exited %d parks %d churned %d pingpongs %d",
		spawned, exited.Load(), arrived.Load(), churned.Load(), pingpongs), nil
}
