// SPDX-License-Identifier: Apache-2.0

package main

import "net"

var _ = register("net_pipe", netPipe, netPipeFixed)

// netPipe talks to a plug-in over a pipe in memory, and forgets to close its end on an error.
func netPipe(l load) {
	l.serve(func(n int) {
		ours, theirs := net.Pipe()
		go readAll(theirs) // leak-go
		if _, err := ours.Write([]byte("hello")); err != nil || l.unlucky(n) {
			return
		}
		_ = ours.Close()
	})
}

func netPipeFixed(l load) {
	l.serve(func(n int) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		go readAll(theirs)
		if _, err := ours.Write([]byte("hello")); err != nil || l.unlucky(n) {
			return
		}
	})
}

func readAll(conn net.Conn) {
	defer conn.Close()
	var message [16]byte
	for {
		n, err := conn.Read(message[:]) // leak: evidence=growing cause=pipe_never_closed
		if err != nil {
			return
		}
		use(n)
	}
}
