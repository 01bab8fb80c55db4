// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

var _ = register("leader_election", leaderElection)

// leaderElection has candidates that wait until they may lead. Who leads does so for two minutes, then another one may.
func leaderElection(minute time.Duration) {
	var leading sync.Mutex
	for i := 0; i < 7; i++ {
		go func(i int) {
			for {
				leading.Lock()
				use(i)
				time.Sleep(2 * minute)
				leading.Unlock()
				time.Sleep(minute / 60)
			}
		}(i)
	}
	select {}
}
