// SPDX-License-Identifier: Apache-2.0

// Zoo keeps one goroutine in each common state and does nothing else, for tests that compare dumps. It takes the commands
// of package console once all of them have arrived where they stay.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"example.com/targets/internal/console"
)

func main() {
	startWaiters()
	startBirths()
	startStacks()
	if err := awaitQuiet(10 * time.Second); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	console.Serve(nil)
}

// awaitQuiet returns when all goroutines but this one have come to rest: none can run, and two looks show the same.
func awaitQuiet(limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for before := ""; ; time.Sleep(50 * time.Millisecond) {
		now := others()
		if now == before && !strings.Contains(now, " [runnable") && !strings.Contains(now, " [running") {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not quiet after %v:\n%s", limit, now)
		}
		before = now
	}
}

// others returns the traceback of all goroutines but the calling one, which comes first.
func others() string {
	text := make([]byte, 1<<20)
	text = text[:runtime.Stack(text, true)]
	_, rest, _ := strings.Cut(string(text), "\n\n")
	return rest
}
