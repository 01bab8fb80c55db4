// SPDX-License-Identifier: Apache-2.0

// Package natsconn speaks as much of the protocol of NATS as is needed here:
// https://docs.nats.io/reference/reference-protocols/nats-protocol
package natsconn

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Conn is a connection to a server. One goroutine at a time.
type Conn struct {
	net.Conn
	lines *bufio.Reader
}

// Message is what came on a subscription.
type Message struct {
	Subject string
	Reply   string // where an answer is wanted; empty: nowhere
	Header  string // of a message that has one: "NATS/1.0 404 No Messages" and so on
	Body    string
}

// Dial connects; what it is to subscribe to is sent with the greeting, in lines of the protocol. The server has done so on return.
func Dial(address, subscriptions string) (*Conn, error) {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	nats := &Conn{conn, bufio.NewReader(conn)}
	if err := nats.greet(subscriptions); err != nil {
		conn.Close()
		return nil, err
	}
	return nats, nil
}

func (c *Conn) greet(subscriptions string) error {
	if err := c.Send("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n%sPING\r\n", subscriptions); err != nil {
		return err
	}
	return c.Await("PONG")
}

// Send writes lines of the protocol.
func (c *Conn) Send(format string, arguments ...any) error {
	_, err := fmt.Fprintf(c, format, arguments...)
	return err
}

// Publish sends a message; reply is where an answer is wanted, if at all.
func (c *Conn) Publish(subject, reply, body string) error {
	if reply != "" {
		reply += " "
	}
	return c.Send("PUB %s %s%d\r\n%s\r\n", subject, reply, len(body), body)
}

// Await skips what comes before that line, but answers what must be answered.
func (c *Conn) Await(wanted string) error {
	for {
		line, err := c.next()
		if err != nil || line == wanted {
			return err
		}
	}
}

// Receive waits for a message.
func (c *Conn) Receive() (Message, error) {
	for {
		line, err := c.next()
		if err != nil {
			return Message{}, err
		}
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "MSG ") && len(words) >= 4: // MSG subject sid [reply] size
			return c.message(words[1:len(words)-1], 0, words[len(words)-1])
		case strings.HasPrefix(line, "HMSG ") && len(words) >= 5: // HMSG subject sid [reply] header-size size
			header, err := strconv.Atoi(words[len(words)-2])
			if err != nil {
				return Message{}, err
			}
			return c.message(words[1:len(words)-2], header, words[len(words)-1])
		}
	}
}

func (c *Conn) message(names []string, header int, size string) (Message, error) {
	n, err := strconv.Atoi(size)
	if err != nil || n < header {
		return Message{}, fmt.Errorf("%s: a message of size %s", c.RemoteAddr(), size)
	}
	body := make([]byte, n+len("\r\n"))
	if _, err := io.ReadFull(c.lines, body); err != nil {
		return Message{}, err
	}
	message := Message{Subject: names[0], Header: strings.TrimSpace(string(body[:header])), Body: string(body[header:n])}
	if len(names) > 2 {
		message.Reply = names[2]
	}
	return message, nil
}

// next is the next line that is neither a PING nor an error.
func (c *Conn) next() (string, error) {
	for {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			return "", err
		}
		switch line = strings.TrimRight(line, "\r\n"); {
		case line == "PING":
			if err := c.Send("PONG\r\n"); err != nil {
				return "", err
			}
		case strings.HasPrefix(line, "-ERR"):
			return "", fmt.Errorf("%s: %s", c.RemoteAddr(), line)
		default:
			return line, nil
		}
	}
}
