// SPDX-License-Identifier: Apache-2.0

// A Go library for programs in C (-buildmode=c-shared, or c-archive), with goroutines that wait.
package main

import "C"

var never = make(chan int)

func wait() { <-never }

//export StartWaiting
func StartWaiting(count C.int) {
	for range make([]struct{}, count) {
		go wait()
	}
}

func main() {}
