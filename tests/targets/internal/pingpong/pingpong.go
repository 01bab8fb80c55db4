// SPDX-License-Identifier: Apache-2.0

// Package pingpong keeps the scheduler as busy as two goroutines can.
package pingpong

import "sync/atomic"

// Start lets two goroutines hand a value to and fro over unbuffered channels, for ever, and counts the round trips.
func Start(trips *atomic.Uint64) {
	ping, pong := make(chan struct{}), make(chan struct{})
	go func() {
		for {
			<-ping
			pong <- struct{}{}
		}
	}()
	go func() {
		for {
			ping <- struct{}{}
			<-pong
			trips.Add(1)
		}
	}()
}
