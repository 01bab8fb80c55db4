// SPDX-License-Identifier: Apache-2.0

package main

import "context"

var _ = register("cancel_forgotten", cancelForgotten, cancelForgottenFixed)

// cancelForgotten frees what a request holds when its context ends, and returns on an error without ending it.
func cancelForgotten(l load) {
	l.serve(func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		go func() { // leak-go
			<-ctx.Done() // leak: evidence=growing cause=receive_never_satisfied
			use(-n)
		}()
		if l.unlucky(n) {
			return
		}
		use(ask(n))
		cancel()
	})
}

func cancelForgottenFixed(l load) {
	l.serve(func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			<-ctx.Done()
			use(-n)
		}()
		if l.unlucky(n) {
			return
		}
		use(ask(n))
	})
}
