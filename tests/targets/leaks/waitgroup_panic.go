// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("waitgroup_panic", waitGroupPanic, waitGroupPanicFixed)

// waitGroupPanic calls a plug-in that may panic, which it survives, but the Done behind the call does not happen.
func waitGroupPanic(l load) {
	l.serve(func(n int) {
		var calls sync.WaitGroup
		calls.Add(1)
		go func() {
			defer func() { _ = recover() }()
			plugIn(n, l.unlucky(n))
			calls.Done()
		}()
		calls.Wait() // leak: request evidence=growing cause=wait_group_never_done
	})
}

func waitGroupPanicFixed(l load) {
	l.serve(func(n int) {
		var calls sync.WaitGroup
		calls.Add(1)
		go func() {
			defer calls.Done()
			defer func() { _ = recover() }()
			plugIn(n, l.unlucky(n))
		}()
		calls.Wait()
	})
}

func plugIn(n int, fails bool) {
	if fails {
		panic(errNoStock)
	}
	use(ask(n))
}
