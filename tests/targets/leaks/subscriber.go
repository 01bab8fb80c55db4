// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("subscriber", subscriber, subscriberFixed)

type hub struct {
	mu     sync.Mutex
	topics map[int]chan int
}

// registry is reachable for ever, and so is everything in it: nothing can prove that those goroutines are lost.
var registry = hub{topics: map[int]chan int{}}

// subscriber lets a visitor follow an order, and leaves the subscription in the registry when the visitor has gone.
func subscriber(l load) {
	l.serve(func(n int) {
		topic := registry.subscribe(n)
		go func() { // leak-go
			for event := range topic { // leak: evidence=growing cause=range_never_closed
				use(event)
			}
		}()
		registry.publish(n)
		if l.unlucky(n) { // the order was cancelled: nothing more will come
			return
		}
		registry.unsubscribe(n)
	})
}

func subscriberFixed(l load) {
	l.serve(func(n int) {
		topic := registry.subscribe(n)
		defer registry.unsubscribe(n)
		go func() {
			for event := range topic {
				use(event)
			}
		}()
		registry.publish(n)
		if l.unlucky(n) {
			return
		}
		registry.publish(n)
	})
}

func (h *hub) subscribe(n int) <-chan int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.topics[n] = make(chan int, 4)
	return h.topics[n]
}

func (h *hub) publish(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.topics[n] <- n
}

func (h *hub) unsubscribe(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.topics[n])
	delete(h.topics, n)
}
