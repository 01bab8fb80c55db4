// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("waitgroup_early_return", waitGroupEarlyReturn, waitGroupEarlyReturnFixed)

// waitGroupEarlyReturn has workers that return on an error before they come to Done.
func waitGroupEarlyReturn(l load) {
	l.serve(func(n int) {
		var workers sync.WaitGroup
		for i := 0; i < 2; i++ {
			workers.Add(1)
			go func(i int) {
				if err := reserve(n, l.unlucky(n) && i == 0); err != nil {
					return
				}
				workers.Done()
			}(i)
		}
		workers.Wait() // leak: request evidence=growing cause=wait_group_never_done
	})
}

func waitGroupEarlyReturnFixed(l load) {
	l.serve(func(n int) {
		var workers sync.WaitGroup
		for i := 0; i < 2; i++ {
			workers.Add(1)
			go func(i int) {
				defer workers.Done()
				if err := reserve(n, l.unlucky(n) && i == 0); err != nil {
					return
				}
			}(i)
		}
		workers.Wait()
	})
}
