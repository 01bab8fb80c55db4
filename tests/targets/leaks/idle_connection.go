// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"time"
)

var _ = register("idle_connection", idleConnection, idleConnectionFixed)

// idleConnection reads from each of its clients, without a deadline; some have gone without a word.
func idleConnection(l load) {
	acceptClients(l, func(conn net.Conn) {
		defer conn.Close()
		var message [16]byte
		for {
			n, err := conn.Read(message[:]) // leak: client evidence=growing cause=io_wait severity=info
			if err != nil {
				return
			}
			use(n)
		}
	})
}

func idleConnectionFixed(l load) {
	acceptClients(l, func(conn net.Conn) {
		defer conn.Close()
		var message [16]byte
		for conn.SetReadDeadline(time.Now().Add(5*l.period)) == nil {
			n, err := conn.Read(message[:])
			if err != nil {
				return
			}
			use(n)
		}
	})
}

func acceptClients(l load, handle func(net.Conn)) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				panic(err)
			}
			go handle(conn) // leak-go: client
		}
	}()
	var silent []net.Conn // clients that still hold their end
	l.each(func(n int) {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			return
		}
		if _, err := conn.Write([]byte("hello")); err != nil || !l.unlucky(n) {
			_ = conn.Close()
			return
		}
		silent = append(silent, conn)
		use(len(silent))
	})
}
