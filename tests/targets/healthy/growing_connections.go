// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"time"
)

var _ = register("growing_connections", growingConnections)

// growingConnections has more and more clients, none of which ever goes: a service that becomes popular.
func growingConnections(minute time.Duration) {
	address := listen(echo)
	var clients []net.Conn
	every(minute/20, func(n int) {
		clients = append(clients, dial(address))
		talk(clients[(n/2)%len(clients)])
	})
}
