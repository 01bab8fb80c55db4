// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

var _ = register("run_for_ever", runForEver)

// runForEver has parts that are told to run until the context is done. It is the background's, which never is: that is how to say
// "as long as the program".
func runForEver(minute time.Duration) {
	ctx := context.Background()
	for i := 0; i < 10; i++ {
		go func() {
			defer use(0)
			<-ctx.Done()
		}()
	}
	go func() { every(minute/60, use) }()
	select {}
}
