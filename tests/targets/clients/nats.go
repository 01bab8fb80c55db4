// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"example.com/targets/internal/natsconn"
)

var nats = kind{
	asks:    []string{"stream", "publish", "request", "append", "fetch"},
	connect: connectNATS,
	stays:   map[string]stay{"subscribe": subscribe, "consume": consume, "quiet": quiet},
	idle:    []string{"quiet", "subscribe", "quiet", "consume"},
}

// natsAsker publishes, asks and answers itself, and works on a stream that all share.
type natsAsker struct {
	*natsconn.Conn
	inbox, service string
}

func connectNATS(address string, number int) (asker, error) {
	name := fmt.Sprintf("%d.%d", os.Getpid(), number)
	a := &natsAsker{inbox: "inbox." + name, service: "service." + name}
	var err error
	a.Conn, err = natsconn.Dial(address, fmt.Sprintf("SUB %s 1\r\nSUB %s 2\r\n", a.inbox, a.service))
	return a, err
}

func (a *natsAsker) close() { a.Close() }

func (a *natsAsker) ask(n int) (string, error) {
	steps := []func(n int) error{a.makeStream, a.publish, a.request, a.append, a.fetch}
	return nats.asks[n%len(steps)], steps[n%len(steps)](n)
}

// call publishes with a reply to the inbox and waits for that.
func (a *natsAsker) call(subject, body string) (natsconn.Message, error) {
	if err := a.Publish(subject, a.inbox, body); err != nil {
		return natsconn.Message{}, err
	}
	return a.receive()
}

func (a *natsAsker) receive() (natsconn.Message, error) {
	_ = a.SetReadDeadline(time.Now().Add(10 * time.Second))
	defer a.SetReadDeadline(time.Time{})
	return a.Receive()
}

// api calls JetStream, which answers in JSON.
func (a *natsAsker) api(subject, body string) error {
	answer, err := a.call(subject, body)
	if err == nil && strings.Contains(answer.Body, `"error"`) {
		err = fmt.Errorf("%s: %s", subject, answer.Body)
	}
	return err
}

// makeStream does nothing where it is there already.
func (a *natsAsker) makeStream(int) error {
	if err := a.api("$JS.API.STREAM.CREATE.ORDERS",
		`{"name":"ORDERS","subjects":["orders.*"],"storage":"file","retention":"limits","max_msgs":2000,"discard":"old"}`); err != nil {
		return err
	}
	return a.api("$JS.API.CONSUMER.DURABLE.CREATE.ORDERS.workers",
		`{"stream_name":"ORDERS","config":{"durable_name":"workers","ack_policy":"explicit","deliver_policy":"all","max_ack_pending":1000}}`)
}

func (a *natsAsker) publish(n int) error {
	if err := a.Publish(fmt.Sprintf("news.%d", n%10), "", "extra, extra"); err != nil {
		return err
	}
	if err := a.Send("PING\r\n"); err != nil {
		return err
	}
	return a.Await("PONG")
}

func (a *natsAsker) request(int) error {
	question, err := a.call(a.service, "how much?")
	if err != nil {
		return err
	}
	if err := a.Publish(question.Reply, "", "seven"); err != nil {
		return err
	}
	_, err = a.receive()
	return err
}

func (a *natsAsker) append(n int) error { return a.api(fmt.Sprintf("orders.%d", n%10), "one, please") }

// fetch takes an order from the stream and acknowledges it; there may be none.
func (a *natsAsker) fetch(int) error {
	order, err := a.call("$JS.API.CONSUMER.MSG.NEXT.ORDERS.workers", `{"batch":1,"no_wait":true}`)
	if err != nil || order.Header != "" {
		return err
	}
	return a.Publish(order.Reply, "", "+ACK")
}

// subscribe hears the news.
func subscribe(ctx context.Context, address string, _ int, heard func()) error {
	conn, err := natsconn.Dial(address, "SUB news.* 1\r\n")
	if err != nil {
		return err
	}
	return listen(ctx, conn, heard)
}

// quiet waits for what never comes.
func quiet(ctx context.Context, address string, _ int, heard func()) error {
	conn, err := natsconn.Dial(address, "SUB quiet 1\r\n")
	if err != nil {
		return err
	}
	heard()
	return listen(ctx, conn, heard)
}

// consume has a consumer of its own on the stream, which the server takes away some time after it has gone.
func consume(ctx context.Context, address string, number int, heard func()) error {
	conn, err := connectNATS(address, number)
	if err != nil {
		return err
	}
	a := conn.(*natsAsker)
	// Messages go to the service's subject.
	config := fmt.Sprintf(`{"stream_name":"ORDERS","config":{"deliver_subject":"%s","ack_policy":"none","deliver_policy":"new"}}`, a.service)
	for _, call := range []func() error{
		func() error { return a.makeStream(0) },
		func() error { return a.api("$JS.API.CONSUMER.CREATE.ORDERS", config) },
	} {
		if err := call(); err != nil {
			a.Close()
			return err
		}
	}
	return listen(ctx, a.Conn, heard)
}

// listen hears what comes until the context ends, and closes the connection.
func listen(ctx context.Context, conn *natsconn.Conn, heard func()) error {
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-ctx.Done():
		case <-over:
		}
		conn.Close()
	}()
	for {
		if _, err := conn.Receive(); err != nil {
			return err
		}
		heard()
	}
}
