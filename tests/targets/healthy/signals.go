// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

var _ = register("signals", signals)

// signals has handlers that wait for signals which rarely come, and a main goroutine that waits for the end.
func signals(minute time.Duration) {
	for _, number := range []os.Signal{syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2} {
		arrived := make(chan os.Signal, 1)
		signal.Notify(arrived, number)
		go func() {
			for range arrived {
				use(1)
			}
		}()
	}
	go func() { every(minute/60, use) }()
	select {}
}
