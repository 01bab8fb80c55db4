// SPDX-License-Identifier: Apache-2.0

// Shopfixed is shop without its two goroutine leaks.
package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"example.com/targets/internal/store"
)

const (
	months  = 12
	workers = 4
)

func main() {
	store.Run(map[string]http.HandlerFunc{"/report": report, "/quote": quote})
}

// report adds up the year's sales, four months at a time.
func report(w http.ResponseWriter, r *http.Request) {
	jobs := make(chan int)
	totals := make(chan int, months)
	var working sync.WaitGroup
	working.Add(workers)
	for i := 0; i < workers; i++ {
		go func() {
			defer working.Done()
			addUp(jobs, totals)
		}()
	}
	for month := 1; month <= months; month++ {
		jobs <- month
	}
	close(jobs)
	working.Wait()

	year := 0
	for i := 0; i < months; i++ {
		year += <-totals
	}
	fmt.Fprintln(w, "sold this year:", year)
}

func addUp(jobs <-chan int, totals chan<- int) {
	for month := range jobs {
		totals <- store.Sales(month)
	}
}

// quote asks the supplier, but not longer than the customer waits.
func quote(w http.ResponseWriter, r *http.Request) {
	answer := make(chan int, 1) // a late answer finds room
	go func() {
		answer <- store.AskSupplier()
	}()
	select {
	case price := <-answer:
		fmt.Fprintln(w, "price:", price)
	case <-time.After(store.Patience):
		http.Error(w, "the supplier is slow today", http.StatusGatewayTimeout)
	}
}
