// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"time"
)

var _ = register("chat", chat)

// chat has two goroutines for each connection, as servers of web sockets do: one reads, one waits for what is to be written. Clients
// become more and more, and most of them are silent.
func chat(minute time.Duration) {
	address := listen(func(conn net.Conn) {
		defer conn.Close()
		outgoing, closed := make(chan []byte), make(chan struct{})
		go func() {
			for {
				select {
				case message := <-outgoing:
					if _, err := conn.Write(message); err != nil {
						return
					}
				case <-closed:
					return
				}
			}
		}()
		defer close(closed)
		for {
			message := make([]byte, 16)
			n, err := conn.Read(message)
			if err != nil {
				return
			}
			outgoing <- message[:n]
		}
	})
	var clients []net.Conn
	every(minute/20, func(n int) {
		clients = append(clients, dial(address))
		talk(clients[(n/2)%len(clients)])
	})
}
