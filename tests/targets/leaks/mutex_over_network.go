// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"sync"
	"time"
)

var _ = register("mutex_over_network", mutexOverNetwork, mutexOverNetworkFixed)

type exchange struct {
	mu   sync.Mutex
	conn net.Conn
	peer net.Conn // held, and never used
}

// mutexOverNetwork asks for the rate over one connection, under a lock and without a deadline. One day the other side is silent.
func mutexOverNetwork(l load) {
	e := dialSilent()
	serveRates(l, func(n int) {
		e.mu.Lock() // leak: visitor evidence=growing|deadlock cause=lock_held_over_io
		defer e.mu.Unlock()
		use(e.read()) // leak: visitor optional=yes evidence=deadlock cause=io_wait
	})
}

func mutexOverNetworkFixed(l load) {
	e := dialSilent()
	serveRates(l, func(n int) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.conn.SetReadDeadline(time.Now().Add(patience)) == nil {
			use(e.read())
		}
	})
}

func serveRates(l load, visit func(int)) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			go visit(n) // leak-go: visitor
		}
	})
}

func (e *exchange) read() int {
	var answer [8]byte
	n, err := e.conn.Read(answer[:])
	if err != nil {
		return 0
	}
	return n
}

// dialSilent connects to a server that accepts and says nothing.
func dialSilent() *exchange {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	peer, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	return &exchange{conn: conn, peer: peer}
}
