// SPDX-License-Identifier: Apache-2.0

package main

import "context"

var _ = register("broken_pipeline", brokenPipeline, brokenPipelineFixed)

const (
	pipelineItems = 12
	pipelineRoom  = 2
)

// brokenPipeline has three stages. When the last one stops at a bad item, the one before it waits for room, and the first for the second.
func brokenPipeline(l load) {
	l.serve(func(n int) {
		read, parsed := make(chan int), make(chan int, pipelineRoom)
		go func() { // leak-go: reader
			defer close(read)
			for item := 0; item < pipelineItems; item++ {
				read <- item // leak: reader evidence=growing cause=send_unbuffered_no_receiver
			}
		}()
		go func() { // leak-go: parser
			defer close(parsed)
			for item := range read {
				parsed <- 2 * item // leak: parser evidence=growing cause=send_buffer_full
			}
		}()
		store(parsed, l.unlucky(n))
	})
}

func brokenPipelineFixed(l load) {
	l.serve(func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		read, parsed := make(chan int), make(chan int, pipelineRoom)
		go func() {
			defer close(read)
			for item := 0; item < pipelineItems; item++ {
				select {
				case read <- item:
				case <-ctx.Done():
					return
				}
			}
		}()
		go func() {
			defer close(parsed)
			for item := range read {
				select {
				case parsed <- 2 * item:
				case <-ctx.Done():
					return
				}
			}
		}()
		store(parsed, l.unlucky(n))
	})
}

func store(items <-chan int, fails bool) {
	for item := range items {
		if fails && item == 4 {
			return
		}
		use(item)
	}
}
