// SPDX-License-Identifier: Apache-2.0

package main

import "time"

var _ = register("spare_buffers", spareBuffers)

// spareBuffers has more workers than buffers. When there is much to do some wait for one; else all wait for jobs, the buffers lie ready,
// and who makes identifiers ahead waits for somebody to need the next.
func spareBuffers(minute time.Duration) {
	jobs := make(chan int, 100)
	free := make(chan []byte, 4)
	for i := 0; i < cap(free); i++ {
		free <- make([]byte, 64)
	}
	next := make(chan int)
	go func() {
		for n := 1; ; n++ {
			next <- n
		}
	}()
	for i := 0; i < 8; i++ {
		go func() {
			for job := range jobs {
				buffer := <-free
				time.Sleep(minute / 60)
				use(job + len(buffer) + <-next)
				free <- buffer
			}
		}()
	}
	every(4*minute, func(int) {
		for i := 0; i < 80; i++ {
			jobs <- i
		}
	})
}
