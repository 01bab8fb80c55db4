// SPDX-License-Identifier: Apache-2.0

// Contexts keeps goroutines that wait while they still hold a context, in every way that one can be held. Its comments say of
// which goleakd has to tell that the context has ended, and how, at the line where its holder goes on:
//
//	// ended: cancelled|deadline
//
// It prints "ready" and runs until it is killed.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

var (
	never  = make(chan int)
	held   sync.Mutex
	used   = map[any]bool{}
	useMu  sync.Mutex
	nobody = make(chan context.Context)
)

type key struct{}

// use keeps its argument needed until here.
func use(v any) {
	useMu.Lock()
	used[v] = true
	useMu.Unlock()
}

func main() {
	held.Lock()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	passed, stop := context.WithTimeout(context.Background(), time.Millisecond)
	defer stop()
	open, stopOpen := context.WithCancel(context.Background())
	defer stopOpen()

	go parameter(cancelled)
	go deadline(passed)
	go values(context.WithValue(context.WithValue(cancelled, key{}, 1), key{}, 2))
	child, stopChild := context.WithTimeout(cancelled, time.Hour)
	defer stopChild()
	go derived(child)
	go signals()
	go whole(&job{ctx: cancelled, n: 1})
	go outer(cancelled)
	go selects(cancelled)
	go locks(cancelled)
	go reads(passed)
	startClosure(cancelled)
	startCallback(passed)

	go stillOpen(open)
	go background(context.Background())
	go noLonger(cancelled)
	go moves(cancelled)
	jobs := make(chan int)
	go worker(jobs)
	go workerOfStructs(jobs)
	for i := 0; i < 6; i++ {
		jobs <- i
	}
	more(cancelled)
	time.Sleep(10 * time.Millisecond)
	fmt.Println("ready")
	<-nobody
}

func parameter(ctx context.Context) {
	<-never // ended: cancelled
	use(ctx)
}

func deadline(ctx context.Context) {
	<-never // ended: deadline
	use(ctx)
}

func values(ctx context.Context) {
	<-never // ended: cancelled
	use(ctx.Value(key{}))
}

func derived(ctx context.Context) {
	<-never // ended: cancelled
	use(ctx)
}

func signals() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGUSR2)
	stop()
	<-never // ended: cancelled
	use(ctx)
}

type job struct {
	ctx context.Context
	n   int
}

func whole(j *job) {
	<-never // ended: cancelled
	use(j.ctx)
	use(j.n)
}

func outer(ctx context.Context) {
	inner() // ended: cancelled
	use(ctx)
}

//go:noinline
func inner() { use(<-never) }

func selects(ctx context.Context) {
	other := make(chan string)
	for {
		select { // ended: cancelled
		case n := <-never:
			use(n)
		case s := <-other:
			use(s)
		}
		use(ctx)
	}
}

func locks(ctx context.Context) {
	held.Lock() // ended: cancelled
	defer held.Unlock()
	use(ctx)
}

func reads(ctx context.Context) {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	var b [1]byte
	n, _ := r.Read(b[:]) // ended: deadline
	use(n)
	use(ctx)
	use(w)
}

func startClosure(ctx context.Context) {
	n := len(os.Args)
	go func() {
		use(n)
		use(<-never) // ended: cancelled
		use(ctx)
	}()
}

func startCallback(ctx context.Context) {
	go func(done func(context.Context)) {
		use(<-never) // ended: deadline
		done(ctx)
	}(func(ctx context.Context) { use(ctx) })
}

// From here on are those of whom nothing is to be said.

func stillOpen(ctx context.Context) {
	<-never
	use(ctx)
}

func background(ctx context.Context) {
	<-never
	use(ctx)
}

func noLonger(ctx context.Context) {
	use(ctx)
	<-never
}

func moves(ctx context.Context) {
	for ctx.Err() != nil {
		time.Sleep(50 * time.Millisecond)
	}
}

// worker has a context for each job, which is over when the job is; it waits for the next one.
func worker(jobs <-chan int) {
	for n := range jobs {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		use(ctx)
		use(n)
		cancel()
	}
}

func workerOfStructs(jobs <-chan int) {
	for {
		n := <-jobs
		ctx, cancel := context.WithCancel(context.Background())
		j := &job{ctx: ctx, n: n}
		use(j)
		use(ctx)
		cancel()
	}
}
