// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("select_forever", selectForever, selectForeverFixed)

// selectForever keeps the handler of a feed from returning, and never lets it go.
func selectForever(l load) {
	l.serve(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			go func() { // leak-go
				use(ask(n))
				select {} // leak: evidence=forever cause=select_no_cases
			}()
		}
	})
}

func selectForeverFixed(l load) {
	l.serve(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			go func() { use(ask(n)) }()
		}
	})
}
