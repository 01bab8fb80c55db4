// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("first_error", firstError, firstErrorFixed)

const parts = 3

// firstError reads one result of each of its goroutines, but stops at the first error: the others can't deliver theirs.
func firstError(l load) {
	l.serve(func(n int) {
		failures := make(chan error)
		for part := 0; part < parts; part++ {
			go func(part int) { // leak-go
				failures <- reserve(n, l.unlucky(n) && part == 0) // leak: evidence=growing cause=send_unbuffered_no_receiver
			}(part)
		}
		for part := 0; part < parts; part++ {
			if err := <-failures; err != nil {
				return
			}
		}
	})
}

func firstErrorFixed(l load) {
	l.serve(func(n int) {
		failures := make(chan error, parts)
		for part := 0; part < parts; part++ {
			go func(part int) { failures <- reserve(n, l.unlucky(n) && part == 0) }(part)
		}
		for part := 0; part < parts; part++ {
			if err := <-failures; err != nil {
				return
			}
		}
	})
}

// reserve fails at once or succeeds after a while.
func reserve(n int, fails bool) error {
	if fails {
		return errNoStock
	}
	use(ask(n))
	return nil
}
