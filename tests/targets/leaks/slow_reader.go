// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"time"
)

var _ = register("slow_reader", slowReader, slowReaderFixed)

const small = 4096 // bytes that the kernel shall keep for a connection

// slowReader sends a large answer to clients of which some do not read it, without a deadline.
func slowReader(l load) {
	sendToClients(l, func(conn net.Conn, answer []byte) {
		defer conn.Close()
		n, _ := conn.Write(answer) // leak: client evidence=growing cause=io_wait severity=info
		use(n)
	})
}

func slowReaderFixed(l load) {
	sendToClients(l, func(conn net.Conn, answer []byte) {
		defer conn.Close()
		if conn.SetWriteDeadline(time.Now().Add(5*l.period)) == nil {
			n, _ := conn.Write(answer)
			use(n)
		}
	})
}

func sendToClients(l load, send func(net.Conn, []byte)) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	answer := make([]byte, 1<<20)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				panic(err)
			}
			_ = conn.(*net.TCPConn).SetWriteBuffer(small)
			go send(conn, answer) // leak-go: client
		}
	}()
	var silent []net.Conn // clients that hold their end and do not read
	l.each(func(n int) {
		use(ask(n))
		if !l.unlucky(n) {
			return
		}
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			return
		}
		_ = conn.(*net.TCPConn).SetReadBuffer(small)
		silent = append(silent, conn)
		use(len(silent))
	})
}
