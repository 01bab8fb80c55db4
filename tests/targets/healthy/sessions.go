// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

var _ = register("sessions", sessions)

// sessions has a goroutine for each session, which ends after two minutes: there are more of them until as many end as begin.
func sessions(minute time.Duration) {
	every(minute/30, func(n int) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*minute)
		go func() {
			defer cancel()
			<-ctx.Done()
			use(n)
		}()
	})
}
