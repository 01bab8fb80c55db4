// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"time"
)

var _ = register("idle_connections", idleConnections)

const mostClients = 60

// idleConnections has clients that come one after another until all are there. They say something once a minute, in turn.
func idleConnections(minute time.Duration) {
	address := listen(echo)
	var clients []net.Conn
	every(minute/20, func(n int) {
		if len(clients) < mostClients {
			clients = append(clients, dial(address))
		}
		talk(clients[n%len(clients)])
	})
}

func talk(conn net.Conn) {
	message := []byte("still here")
	if _, err := conn.Write(message); err != nil {
		panic(err)
	}
	n, err := conn.Read(message)
	if err != nil {
		panic(err)
	}
	use(n)
}
