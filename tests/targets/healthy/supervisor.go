// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

var _ = register("supervisor", supervisor)

// supervisor waits for its departments for as long as the program runs, and each of those for its workers.
func supervisor(minute time.Duration) {
	var departments sync.WaitGroup
	for i := 0; i < 3; i++ {
		departments.Add(1)
		go func() {
			defer departments.Done()
			var workers sync.WaitGroup
			for j := 0; j < 4; j++ {
				workers.Add(1)
				go func() {
					defer workers.Done()
					every(minute/20, use)
				}()
			}
			workers.Wait()
		}()
	}
	departments.Wait()
}
