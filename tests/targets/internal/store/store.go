// SPDX-License-Identifier: Apache-2.0

// Package store is what the two shops have in common. Nothing in it leaks.
package store

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const packers = 4

type store struct {
	mu     sync.RWMutex
	price  int           // in cents
	orders chan string   // closed when the shop shuts
	packed atomic.Uint64 // orders done
}

// Run serves the given pages and its own (/healthz, /price and /order) until SIGTERM or an interrupt.
func Run(pages map[string]http.HandlerFunc) {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	if err := run(*addr, pages); err != nil {
		log.Fatal(err)
	}
}

func run(addr string, pages map[string]http.HandlerFunc) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	s := &store{price: 1000, orders: make(chan string, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/price", s.showPrice)
	mux.HandleFunc("/order", s.takeOrder)
	for path, page := range pages {
		mux.HandleFunc(path, page)
	}

	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())

	var workers sync.WaitGroup
	workers.Add(1 + packers)
	go func() {
		defer workers.Done()
		s.followMarket(ctx)
	}()
	for i := 0; i < packers; i++ {
		go func() {
			defer workers.Done()
			s.pack()
		}()
	}

	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err = <-failed:
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = server.Shutdown(grace)
	}
	stop()
	close(s.orders) // after Shutdown: no handler is left that could send
	workers.Wait()
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("requests were still running at the end: %w", err)
	}
	return err
}

// followMarket changes the price once a second.
func (s *store) followMarket(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			s.mu.Lock()
			s.price = 1000 + now.Second()
			s.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// pack works orders off until the shop shuts.
func (s *store) pack() {
	for range s.orders {
		time.Sleep(time.Millisecond)
		s.packed.Add(1)
	}
}

func (s *store) showPrice(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	fmt.Fprintln(w, s.price)
}

func (s *store) takeOrder(w http.ResponseWriter, r *http.Request) {
	select {
	case s.orders <- r.RemoteAddr:
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintln(w, "packed so far:", s.packed.Load())
	case <-r.Context().Done():
	}
}

// Sales returns what was sold in a month.
func Sales(month int) int {
	time.Sleep(time.Millisecond) // the database
	return 100 * month
}

var calls atomic.Uint64

// AskSupplier returns the supplier's price, every other time only after the customer has lost patience.
func AskSupplier() int {
	if calls.Add(1)%2 == 0 {
		time.Sleep(80 * time.Millisecond)
	} else {
		time.Sleep(2 * time.Millisecond)
	}
	return 900
}

// Patience is how long a customer waits for the supplier.
const Patience = 20 * time.Millisecond
