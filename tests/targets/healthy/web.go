// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

var _ = register("web", web)

// web is a server with clients that keep their connections, and a reload now and then after which they come anew.
func web(minute time.Duration) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{IdleTimeout: minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(minute / 2000)
		fmt.Fprintln(w, "hello")
	})}
	go func() { panic(server.Serve(listener)) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 20, IdleConnTimeout: minute}
	client := &http.Client{Transport: transport}
	every(minute/60, func(n int) {
		for i := 0; i < n%20; i++ {
			go fetch(client, "http://"+listener.Addr().String())
		}
		if n%90 == 0 {
			transport.CloseIdleConnections()
		}
	})
}

func fetch(client *http.Client, url string) {
	response, err := client.Get(url)
	if err != nil {
		return
	}
	defer response.Body.Close()
	size, _ := io.Copy(io.Discard, response.Body)
	use(int(size))
}
