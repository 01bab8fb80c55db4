// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

const clients = 8

func spawn(ops *atomic.Uint64) {
	const batch = 100
	go func() {
		var running sync.WaitGroup
		for {
			running.Add(batch)
			for i := 0; i < batch; i++ {
				go running.Done()
			}
			running.Wait()
			ops.Add(batch)
		}
	}()
}

// mutex: a goroutine that has had the lock waits until all others have had it. That takes longer than the millisecond after
// which a sync.Mutex is handed on in turn; below it, it changes between that and a free-for-all, at a hundredth of the price.
func mutex(ops *atomic.Uint64) {
	const waiters, work = 100, 1000
	var lock sync.Mutex
	table := map[int]int{}
	for i := 0; i < waiters; i++ {
		go func() {
			for {
				lock.Lock()
				for key := 0; key < work; key++ {
					table[key]++
				}
				lock.Unlock()
				ops.Add(1)
			}
		}()
	}
}

func serveAndAsk(ops *atomic.Uint64) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	go func() { panic(http.Serve(listener, hello)) }()

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	url := "http://" + listener.Addr().String()
	for i := 0; i < clients; i++ {
		go func() {
			for {
				if err := get(client, url); err != nil {
					panic(err)
				}
				ops.Add(1)
			}
		}()
	}
}

func get(client *http.Client, url string) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
