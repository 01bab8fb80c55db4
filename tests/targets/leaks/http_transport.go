// SPDX-License-Identifier: Apache-2.0

package main

import "net/http"

var _ = register("http_transport", httpTransport, httpTransportFixed)

// httpTransport makes a client with a Transport of its own for some requests, whose connection stays open when the client is forgotten.
// leak: created=net/http.(?Transport).dialConn blocked=net/http.(?persistConn).writeLoop evidence=growing cause=http_connection_unused
// leak: created=net/http.(?Transport).dialConn blocked=net.* evidence=growing cause=http_connection_unused|io_wait severity=info
func httpTransport(l load) {
	url := serveHTTP(l)
	l.serve(func(n int) {
		client := http.DefaultClient
		if l.unlucky(n) {
			client = &http.Client{Transport: &http.Transport{}}
		}
		if response, err := client.Get(request(url, n)); err == nil {
			readAndClose(response)
		}
	})
}

func httpTransportFixed(l load) {
	url := serveHTTP(l)
	l.serve(func(n int) {
		client := http.DefaultClient
		if l.unlucky(n) {
			client = &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
		}
		if response, err := client.Get(request(url, n)); err == nil {
			readAndClose(response)
		}
	})
}
