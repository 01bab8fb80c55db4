// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("mutex_over_channel", mutexOverChannel, mutexOverChannelFixed)

type ledgerBook struct {
	mu      sync.Mutex
	balance int
	orders  chan int
}

// mutexOverChannel sends on a channel while it holds a lock that the receiver wants, too: each waits for the other, and everybody behind
// them.
func mutexOverChannel(l load) {
	book := &ledgerBook{orders: make(chan int)}
	go book.settle() // leak-go: settler
	serveBook(l, book, func(n int) {
		book.mu.Lock() // leak: visitor evidence=growing|deadlock cause=lock_held_over_channel
		defer book.mu.Unlock()
		book.balance++
		book.orders <- n // leak: visitor optional=yes evidence=deadlock cause=send_unbuffered_no_receiver
	})
}

func mutexOverChannelFixed(l load) {
	book := &ledgerBook{orders: make(chan int)}
	go book.settle()
	serveBook(l, book, func(n int) {
		book.mu.Lock()
		book.balance++
		book.mu.Unlock()
		book.orders <- n
	})
}

func serveBook(l load, book *ledgerBook, order func(int)) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			go order(n) // leak-go: visitor
			go order(n) // leak-go: visitor
		}
	})
}

func (b *ledgerBook) settle() {
	for order := range b.orders {
		use(ask(order)) // the next one has the lock by now
		b.mu.Lock()     // leak: settler optional=yes evidence=deadlock cause=mutex_never_released
		b.balance--
		b.mu.Unlock()
	}
}
