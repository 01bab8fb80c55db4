// SPDX-License-Identifier: Apache-2.0

package main

import "context"

var _ = register("first_of_many", firstOfMany, firstOfManyFixed)

const replicas = 3

// firstOfMany asks several replicas, and one receive takes the fastest answer: the others are sent to nobody.
func firstOfMany(l load) {
	l.serve(func(n int) {
		if !l.unlucky(n) {
			use(ask(n))
			return
		}
		answers := make(chan int)
		for i := 0; i < replicas; i++ {
			go func() { // leak-go
				answers <- ask(n) // leak: evidence=growing cause=send_unbuffered_no_receiver
			}()
		}
		use(<-answers)
	})
}

func firstOfManyFixed(l load) {
	l.serve(func(n int) {
		if !l.unlucky(n) {
			use(ask(n))
			return
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		answers := make(chan int)
		for i := 0; i < replicas; i++ {
			go func() {
				select {
				case answers <- ask(n):
				case <-ctx.Done():
				}
			}()
		}
		use(<-answers)
	})
}
