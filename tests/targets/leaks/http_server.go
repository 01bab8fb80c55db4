// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// serveHTTP starts a web server and returns its URL. It has a long answer to every request and is sorry for the unlucky ones.
func serveHTTP(l load) string {
	return startHTTP(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		if l.unlucky(n) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		for i := 0; i < 100; i++ {
			fmt.Fprintln(w, "this is line", i)
		}
	})
}

func startHTTP(handler http.HandlerFunc) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { panic(http.Serve(listener, handler)) }()
	return "http://" + listener.Addr().String()
}

func request(url string, n int) string { return url + "/?n=" + strconv.Itoa(n) }
