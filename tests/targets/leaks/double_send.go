// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("double_send", doubleSend, doubleSendFixed)

// doubleSend sends an error where one result is expected, and forgets to return: the result is one too many.
func doubleSend(l load) {
	l.serve(func(n int) {
		result := make(chan int)
		go func() { // leak-go
			if err := reserve(n, l.unlucky(n)); err != nil {
				result <- 0
			}
			result <- n // leak: evidence=growing cause=send_unbuffered_no_receiver
		}()
		use(<-result)
	})
}

func doubleSendFixed(l load) {
	l.serve(func(n int) {
		result := make(chan int)
		go func() {
			if err := reserve(n, l.unlucky(n)); err != nil {
				result <- 0
				return
			}
			result <- n
		}()
		use(<-result)
	})
}
