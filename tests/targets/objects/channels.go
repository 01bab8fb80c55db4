// SPDX-License-Identifier: Apache-2.0

package main

import "time"

type job struct {
	name string
	size int
}

// channel is what is true of a channel; all goroutines that wait on it have started when anybody asks.
func channel(direction, element string, length, capacity, senders, receivers int, c any) truth {
	return truth{
		"kind": "channel", "address": address(c), "direction": direction, "element": element, "length": length,
		"capacity": capacity, "closed": false, "senders": senders, "receivers": receivers,
	}
}

func startChannels() {
	numbers := make(chan int)
	start("receive", channel("receive", "int", 0, 0, 0, 1, numbers), func() { <-numbers })

	jobs := make(chan job, 3)
	for i := 0; i < cap(jobs); i++ {
		jobs <- job{}
	}
	start("send to full", channel("send", "main.job", 3, 3, 2, 0, jobs), func() { jobs <- job{} })

	texts := make(chan *string)
	done := make(chan struct{})
	start("select", truth{"kind": "select", "address": nil, "visible_cases": 3, "cases": []truth{
		channel("receive", "*string", 0, 0, 0, 1, texts),
		channel("send", "main.job", 3, 3, 2, 0, jobs),
		channel("receive", "struct {}", 0, 0, 0, 2, done),
	}}, func() {
		var never chan int
		select {
		case <-texts:
		case jobs <- job{}:
		case <-done:
		case <-never:
		}
	})
	start("receive beside a select", channel("receive", "struct {}", 0, 0, 0, 2, done), func() { <-done })

	both := make(chan func(int) error)
	start("select on both sides", truth{"kind": "select", "address": nil, "visible_cases": 2, "cases": []truth{
		channel("receive", "func(int) error", 0, 0, 1, 1, both),
		channel("send", "func(int) error", 0, 0, 1, 1, both),
	}}, func() {
		select {
		case <-both:
		case both <- nil:
		}
	})

	ticks := time.NewTicker(24 * time.Hour).C
	start("ticker", channel("receive", "time.Time", 0, 1, 0, 1, ticks), func() { <-ticks })
}
