// SPDX-License-Identifier: Apache-2.0

package main

import "context"

var _ = register("fan_out_cancel", fanOutCancel, fanOutCancelFixed)

const shards = 3

// fanOutCancel searches several shards and listens to the context; its workers do, too, but for the moment when they deliver.
func fanOutCancel(l load) {
	l.serve(func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		hits := make(chan int)
		for shard := 0; shard < shards; shard++ {
			go func() { // leak-go
				if ctx.Err() != nil {
					return
				}
				hits <- ask(n) // leak: evidence=growing|cancelled cause=send_unbuffered_no_receiver
			}()
		}
		gather(ctx, cancel, hits, l.unlucky(n))
	})
}

func fanOutCancelFixed(l load) {
	l.serve(func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		hits := make(chan int)
		for shard := 0; shard < shards; shard++ {
			go func() {
				select {
				case hits <- ask(n):
				case <-ctx.Done():
				}
			}()
		}
		gather(ctx, cancel, hits, l.unlucky(n))
	})
}

// gather gives up after the first hit when the visitor has gone.
func gather(ctx context.Context, cancel func(), hits <-chan int, gone bool) {
	for shard := 0; shard < shards; shard++ {
		if gone && shard == 1 {
			cancel()
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case hit := <-hits:
			use(hit)
		case <-ctx.Done():
			return
		}
	}
}
