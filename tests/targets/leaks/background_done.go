// SPDX-License-Identifier: Apache-2.0

package main

import "context"

var _ = register("background_done", backgroundDone, backgroundDoneFixed)

// backgroundDone releases what a request holds when its context ends, but does not pass on the context of the request.
func backgroundDone(l load) {
	l.serve(func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if l.unlucky(n) {
			ctx = context.Background() // somebody had none at hand
		}
		go func() { // leak-go
			<-ctx.Done() // leak: evidence=forever cause=nil_channel
			use(-n)
		}()
		use(ask(n))
	})
}

func backgroundDoneFixed(l load) {
	l.serve(func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			<-ctx.Done()
			use(-n)
		}()
		use(ask(n))
	})
}
