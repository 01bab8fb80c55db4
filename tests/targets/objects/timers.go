// SPDX-License-Identifier: Apache-2.0

package main

import "time"

func startTimers() {
	const day = 24 * time.Hour
	// Since then no more than a day is left.
	start("sleep", truth{"kind": "timer", "nanoseconds": day.Nanoseconds()}, func() { time.Sleep(day) })
}
