// SPDX-License-Identifier: Apache-2.0

//go:build go1.23

package main

import "iter"

// startCoroutine leaves a coroutine suspended in the middle of its sequence.
func startCoroutine() {
	next, _ := iter.Pull(func(yield func(int) bool) { yield(1) })
	next()
}
