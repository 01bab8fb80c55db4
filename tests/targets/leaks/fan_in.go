// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("fan_in", fanIn, fanInFixed)

// fanIn merges what two sources send into one channel. When its reader has enough, both forwarders have one more to pass on.
func fanIn(l load) {
	l.serve(func(n int) {
		merged := make(chan int)
		for i := 0; i < 2; i++ {
			go func() { // leak-go
				for v := 0; v < 4; v++ {
					merged <- v // leak: evidence=growing cause=send_unbuffered_no_receiver
				}
			}()
		}
		takeSome(merged, l.unlucky(n))
	})
}

func fanInFixed(l load) {
	l.serve(func(n int) {
		merged, enough := make(chan int), make(chan struct{})
		var forwarders sync.WaitGroup
		for i := 0; i < 2; i++ {
			forwarders.Add(1)
			go func() {
				defer forwarders.Done()
				for v := 0; v < 4; v++ {
					select {
					case merged <- v:
					case <-enough:
						return
					}
				}
			}()
		}
		takeSome(merged, l.unlucky(n))
		close(enough)
		forwarders.Wait()
	})
}

func takeSome(merged <-chan int, enough bool) {
	for i := 0; i < 8; i++ {
		use(<-merged)
		if enough {
			return
		}
	}
}
