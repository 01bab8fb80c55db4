// SPDX-License-Identifier: Apache-2.0

// Package pingpong keeps the scheduler as busy as two goroutines can.
package pingpong

import "sync/atomic"

// Start lets two goroutines hand a value to and fro over unbuffered channels until stop is called, and counts the round
// trips.
func Start(trips *atomic.Uint64) (stop func()) {
	ping, pong := make(chan struct{}), make(chan struct{})
	var stopped atomic.Bool
	go func() {
		for range ping {
			pong <- struct{}{}
		}
	}()
	go func() {
		defer close(ping)
		for !stopped.Load() {
			ping <- struct{}{}
			<-pong
			trips.Add(1)
		}
	}()
	return func() { stopped.Store(true) }
}
