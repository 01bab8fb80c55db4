// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"example.com/targets/internal/pingpong"
)

const proberSleeps = time.Millisecond

// work is what goes on between watch and report, which says what it felt.
type work struct {
	late   atomic.Int64 // the worst since watch, in nanoseconds
	asleep atomic.Int64 // when the prober went to sleep, in nanoseconds since start
	ops    atomic.Uint64
	start  time.Time
	began  time.Time
	done   uint64 // ops when the window began
	stop   func()
}

func startWork() *work {
	w := &work{start: time.Now(), stop: func() {}}
	w.began = w.start
	go w.probe()
	return w
}

// probe is the only writer of late beside watch; a window that begins in between may lose or gain one sleep.
func (w *work) probe() {
	for {
		w.asleep.Store(int64(time.Since(w.start)))
		time.Sleep(proberSleeps)
		if late := w.lateness(); late > w.late.Load() {
			w.late.Store(late)
		}
	}
}

// lateness is that of the sleep that is going on.
func (w *work) lateness() int64 {
	return int64(time.Since(w.start)) - w.asleep.Load() - int64(proberSleeps)
}

func (w *work) watch([]string) (string, error) {
	w.stop()
	w.stop = pingpong.Start(&w.ops)
	w.late.Store(0)
	w.began, w.done = time.Now(), w.ops.Load()
	return "", nil
}

func (w *work) report([]string) (string, error) {
	seconds, done := time.Since(w.began).Seconds(), w.ops.Load()-w.done
	w.stop()
	late := w.lateness() // of a hole that this window does not see the end of
	if worst := w.late.Load(); worst > late {
		late = worst
	}
	return fmt.Sprintf("late_us %d ops %d seconds %.3f", late/1000, done, seconds), nil
}
