// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"sync"
)

// locked queues many up for a mutex. Each is woken by the one before it, and nobody else wants it then.
func locked(s *section) (int, error) {
	var mu sync.Mutex
	holders := 0
	mu.Lock()
	for i := 0; i < crowd; i++ {
		go s.counted(func() {
			mu.Lock()
			holders++
			mu.Unlock()
		})()
	}
	if err := awaitParked(crowd, "sync.(*Mutex).Lock"); err != nil {
		return 0, err
	}
	mu.Unlock()
	s.alive.Wait()
	s.expect("holders", holders, crowd)
	return crowd, nil
}

// sharedLocked has readers wait for a writer, and a writer for a reader.
func sharedLocked(s *section) (int, error) {
	var mu sync.RWMutex
	value := 1
	mu.Lock()
	for i := 0; i < crowd; i++ {
		go s.counted(func() {
			mu.RLock()
			defer mu.RUnlock()
			s.expect("what readers read", value, 2)
		})()
	}
	if err := awaitParked(crowd, "sync.(*RWMutex).RLock"); err != nil {
		return 0, err
	}
	value = 2
	mu.Unlock()
	s.alive.Wait()

	mu.RLock()
	go s.counted(func() {
		mu.Lock()
		defer mu.Unlock()
		value = 3
	})()
	if err := awaitParked(1, "sync.(*RWMutex).Lock"); err != nil {
		return 0, err
	}
	s.expect("what a reader reads beside a writer", value, 2)
	mu.RUnlock()
	s.alive.Wait()
	s.expect("what the writer wrote", value, 3)
	return crowd + 1, nil
}

// contended has all want the same locks all the time.
func contended(s *section) (int, error) {
	const each = 50
	var (
		mu   sync.Mutex
		rw   sync.RWMutex
		a, b int
	)
	for i := 0; i < crowd; i++ {
		go s.counted(func() {
			for k := 0; k < each; k++ {
				mu.Lock()
				a++
				if k%8 == 0 {
					runtime.Gosched() // so that the others find it locked
				}
				mu.Unlock()

				rw.Lock()
				b++
				rw.Unlock()

				rw.RLock()
				if k%8 == 0 {
					runtime.Gosched()
				}
				if b < k+1 {
					s.expect("additions seen by who has made more", b, k+1)
				}
				rw.RUnlock()
			}
		})()
	}
	s.alive.Wait()
	s.expect("additions under the mutex", a, crowd*each)
	s.expect("additions under the write lock", b, crowd*each)
	return unknown, nil
}

// noLock is no lock: those that a Cond wakes go on without a wait for it.
type noLock struct{}

func (noLock) Lock()   {}
func (noLock) Unlock() {}

// signalled wakes the waiters of a Cond: half of them one by one, the others together.
func signalled(s *section) (int, error) {
	cond := sync.NewCond(noLock{})
	for i := 0; i < crowd; i++ {
		go s.counted(cond.Wait)()
	}
	for left := crowd; left > 0; left-- {
		if err := awaitParked(left, "sync.(*Cond).Wait"); err != nil {
			return 0, err
		}
		if left == crowd/2 {
			cond.Broadcast()
			break
		}
		cond.Signal()
	}
	return crowd, nil
}

// queued guards a queue by a Cond, as is usual.
func queued(s *section) (int, error) {
	var (
		mu    sync.Mutex
		queue []int
		done  bool
		sum   int
	)
	changed := sync.NewCond(&mu)
	for i := 0; i < 4; i++ {
		go s.counted(func() {
			mu.Lock()
			defer mu.Unlock()
			for {
				for len(queue) == 0 && !done {
					changed.Wait()
				}
				if len(queue) == 0 {
					return
				}
				sum += queue[0]
				queue = queue[1:]
			}
		})()
	}
	for i := 0; i < transfers; i++ {
		mu.Lock()
		queue = append(queue, i)
		mu.Unlock()
		changed.Signal()
	}
	mu.Lock()
	done = true
	mu.Unlock()
	changed.Broadcast()
	s.alive.Wait()
	s.expect("sum", sum, sumTo(transfers))
	return unknown, nil
}

// waited has many wait for a WaitGroup.
func waited(s *section) (int, error) {
	var work sync.WaitGroup
	work.Add(1)
	for i := 0; i < crowd; i++ {
		go s.counted(work.Wait)()
	}
	if err := awaitParked(crowd, "sync.(*WaitGroup).Wait"); err != nil {
		return 0, err
	}
	work.Done()
	return crowd, nil
}
