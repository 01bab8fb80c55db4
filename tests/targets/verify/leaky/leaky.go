// SPDX-License-Identifier: Apache-2.0

// Package leaky starts goroutines that nobody ends; its tests pass all the same. What each test leaves, and how one can tell
// that it was that test, stands at the end of the line with the go statement.
package leaky

var (
	never    = make(chan int) // that anybody sends to
	unwanted = make(chan int) // that anybody receives from
)

// Start leaves a goroutine that runs nothing of its caller.
//
//go:noinline
func Start() {
	go wait() // leak: Start
}

// Run runs f as a group of workers would.
//
//go:noinline
func Run(f func()) {
	go f() // leak: Run
}

func wait() { <-never }
