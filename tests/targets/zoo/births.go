// SPDX-License-Identifier: Apache-2.0

package main

import "time"

// startBirths starts goroutines that differ in how they are started. All wait to receive.
func startBirths() {
	forever := make(chan int)

	go func() { <-forever }()

	text := "captured"
	go func(c chan int) { // a closure with an argument
		<-c
		println(text)
	}(forever)

	var cage waiter = &animal{forever}
	method := (&animal{forever}).wait
	go method()
	go cage.wait()
	go (&exhibit{animal{forever}}).wait()

	go generic(forever)
	go generic(make(chan string))
	go (&box[int]{forever}).wait()

	startInlined(forever)
	func() { go receive(forever) }()
	defer func() { go receive(forever) }()

	time.AfterFunc(0, func() { <-forever })
}

// The runtime's name for this function ends in a number: main.init.0.
func init() {
	go receive(make(chan int))
}

// receive is small: the wrapper that the compiler makes for `go receive(c)` has it inlined.
func receive(c chan int) {
	<-c
}

// startInlined is small too, in case that a compiler inlines functions with a `go` statement.
func startInlined(c chan int) {
	go receive(c)
}

type waiter interface{ wait() }

type animal struct{ c chan int }

func (a *animal) wait() { <-a.c }

// exhibit has wait() by promotion.
type exhibit struct{ animal }

func generic[T any](c chan T) {
	<-c
}

type box[T any] struct{ c chan T }

func (b *box[T]) wait() { <-b.c }
