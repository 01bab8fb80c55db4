// SPDX-License-Identifier: Apache-2.0

package main

import "sort"

// startStacks starts goroutines that differ in how they got to where they wait.
func startStacks() {
	go deep(60, make(chan int))
	go nestedInlined(make(chan int))
	go inDefer()
	go inPanic()
	go inCallback()
	go inBigFrame()
	startCoroutine()
}

func deep(calls int, c chan int) {
	if calls > 0 {
		deep(calls-1, c)
		return
	}
	<-c
}

// nestedInlined waits in a call that is inlined into a call that is inlined.
//
//go:noinline
func nestedInlined(c chan int) {
	println(outer(c) + 1)
}

func outer(c chan int) int { return inner(c) + 1 }

func inner(c chan int) int { return receiveValue(c) + 1 }

func receiveValue(c chan int) int { return <-c }

func inDefer() {
	defer func() { <-make(chan int) }()
}

func inPanic() {
	defer func() { <-make(chan int) }()
	panic("this waits in the deferred call")
}

// inCallback has frames of the standard library between its own.
func inCallback() {
	sort.Slice([]int{2, 1}, func(i, j int) bool {
		<-make(chan int)
		return false
	})
}

// inBigFrame has a frame of more than two pages.
//
//go:noinline
func inBigFrame() {
	var big [8 << 10]byte
	big[<-make(chan int)] = 1
	println(big[0])
}
