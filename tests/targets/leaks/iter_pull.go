// SPDX-License-Identifier: Apache-2.0

//go:build go1.23

package main

import "iter"

var _ = register("iter_pull", iterPull, iterPullFixed)

// iterPull takes the first values of a sequence, and on an error forgets to stop it.
// leak: created=iter.Pull* blocked=* evidence=growing cause=coroutine_never_stopped
func iterPull(l load) {
	l.each(func(n int) {
		next, stop := iter.Pull(numbersFrom(n))
		v, _ := next()
		use(v)
		if l.unlucky(n) {
			return
		}
		stop()
	})
}

func iterPullFixed(l load) {
	l.each(func(n int) {
		next, stop := iter.Pull(numbersFrom(n))
		defer stop()
		v, _ := next()
		use(v)
		if l.unlucky(n) {
			return
		}
		use(n)
	})
}

func numbersFrom(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for ; yield(n); n++ {
		}
	}
}
