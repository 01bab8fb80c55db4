// SPDX-License-Identifier: Apache-2.0

// Package fixed is leaky's corrected twin: whatever is started is told to end.
package fixed

// Start leaves a goroutine that ends with stop.
//
//go:noinline
func Start(stop <-chan int) {
	go wait(stop)
}

// Run runs f as a group of workers would.
//
//go:noinline
func Run(f func()) {
	go f()
}

func wait(stop <-chan int) { <-stop }
