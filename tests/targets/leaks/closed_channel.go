// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
)

var _ = register("closed_channel", closedChannel, closedChannelFixed)

// closedChannel publishes what visitors write on a channel that has been closed meanwhile. net/http recovers each of those panics, and
// the request has failed.
func closedChannel(l load) {
	visitTopics(l, func(topic chan int, bad bool) {
		if bad {
			close(topic)
		}
		topic <- 1 // panic: kind=runtime.plainError
	})
}

func closedChannelFixed(l load) {
	visitTopics(l, func(topic chan int, bad bool) {
		if bad {
			close(topic)
			return
		}
		topic <- 1
	})
}

func visitTopics(l load, publish func(topic chan int, bad bool)) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	quiet := log.New(io.Discard, "", 0)
	server := &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		publish(make(chan int, 1), l.unlucky(n))
		fmt.Fprintln(w, "published")
	})}
	go func() { panic(server.Serve(listener)) }()
	l.serve(func(n int) {
		if response, err := http.Get(request("http://"+listener.Addr().String(), n)); err == nil {
			readAndClose(response)
		}
	})
}
