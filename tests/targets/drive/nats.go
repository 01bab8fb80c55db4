// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
)

// natsConn speaks as much of the protocol as is needed here: https://docs.nats.io/reference/reference-protocols/nats-protocol
type natsConn struct {
	net.Conn
	lines *bufio.Reader
}

func connectNATS(address string, number, clients int) (func() error, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	nats := natsConn{conn, bufio.NewReader(conn)}
	if err := nats.send("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB bench.%d 1\r\nPING\r\n", number); err != nil {
		return nil, err
	}
	if err := nats.await("PONG"); err != nil { // it has subscribed
		return nil, err
	}
	return func() error {
		if err := nats.send("PUB bench.%d 5\r\nhello\r\n", (number+1)%clients); err != nil {
			return err
		}
		return nats.await("hello") // from the one before
	}, nil
}

func (n natsConn) send(format string, arguments ...any) error {
	_, err := fmt.Fprintf(n, format, arguments...)
	return err
}

// await skips what comes before that line, but answers what must be answered.
func (n natsConn) await(wanted string) error {
	for {
		line, err := n.lines.ReadString('\n')
		if err != nil {
			return err
		}
		switch line = strings.TrimRight(line, "\r\n"); {
		case line == wanted:
			return nil
		case line == "PING":
			if err := n.send("PONG\r\n"); err != nil {
				return err
			}
		case strings.HasPrefix(line, "-ERR"):
			return fmt.Errorf("%s: %s", n.RemoteAddr(), line)
		}
	}
}
