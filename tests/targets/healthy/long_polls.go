// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

var _ = register("long_polls", longPolls)

// longPolls has visitors that ask for news and wait up to half a minute for them, again and again. They become more until all are there.
func longPolls(minute time.Duration) {
	var mu sync.Mutex
	news := make(chan struct{}) // closed with each piece of news
	poll := func() {
		mu.Lock()
		arrived := news
		mu.Unlock()
		select {
		case <-arrived:
			use(1)
		case <-time.After(minute / 2):
		}
	}
	go every(minute, func(int) {
		mu.Lock()
		close(news)
		news = make(chan struct{})
		mu.Unlock()
	})
	visitors := 0
	every(minute/20, func(int) {
		if visitors++; visitors <= 80 {
			go func() {
				for {
					done := make(chan struct{})
					go func() { // the server's side of it
						defer close(done)
						poll()
					}()
					<-done
				}
			}()
		}
	})
}
