// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

var _ = register("caches", caches)

type cache struct {
	mu      sync.Mutex
	entries map[int]time.Time
}

// caches have a janitor each, and come to be when they are first used: in the first minutes there are more and more of them.
func caches(minute time.Duration) {
	const most = 40
	all := map[int]*cache{}
	every(minute/60, func(n int) {
		key := n % most
		if n > 4*most {
			key = n * n % most
		}
		c := all[key]
		if c == nil {
			c = &cache{entries: map[int]time.Time{}}
			all[key] = c
			go c.janitor(minute)
		}
		c.put(n, minute)
	})
}

func (c *cache) put(n int, keep time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries[n] = time.Now().Add(keep)
}

func (c *cache) janitor(period time.Duration) {
	for now := range time.NewTicker(period / 4).C {
		c.mu.Lock()
		for n, until := range c.entries {
			if now.After(until) {
				delete(c.entries, n)
			}
		}
		c.mu.Unlock()
	}
}
