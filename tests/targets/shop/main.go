// SPDX-License-Identifier: Apache-2.0

// Shop is a web server with two goroutine leaks; shopfixed is the same without them.
package main

import (
	"fmt"
	"net/http"
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
	for i := 0; i < workers; i++ {
		go addUp(jobs, totals)
	}
	for month := 1; month <= months; month++ {
		jobs <- month
	}
	// BUG: nobody closes jobs, so the workers wait for a thirteenth month.

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
	answer := make(chan int) // BUG: without a buffer a late answer is never taken
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
