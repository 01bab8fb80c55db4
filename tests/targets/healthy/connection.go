// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net"
)

// listen calls handle for each connection in a goroutine of its own, and returns the address.
func listen(handle func(net.Conn)) string {
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
			go handle(conn)
		}
	}()
	return listener.Addr().String()
}

func dial(address string) net.Conn {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	return conn
}

// echo sends back what comes, until the client closes.
func echo(conn net.Conn) {
	defer conn.Close()
	_, _ = io.Copy(conn, conn)
}
