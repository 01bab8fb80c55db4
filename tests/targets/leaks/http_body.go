// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net/http"
)

var _ = register("http_body", httpBody, httpBodyFixed)

// httpBody looks at the status of an answer only, and neither reads nor closes the body when it is a bad one. The connection and its two
// goroutines wait for that.
// leak: created=net/http.(?Transport).dialConn blocked=net/http.(?persistConn).readLoop evidence=growing cause=http_body_not_closed
// leak: created=net/http.(?Transport).dialConn blocked=net/http.(?persistConn).writeLoop evidence=growing cause=http_connection_unused
func httpBody(l load) {
	url := serveHTTP(l)
	l.serve(func(n int) {
		response, err := http.Get(request(url, n))
		if err != nil {
			return
		}
		if response.StatusCode != http.StatusOK {
			return
		}
		readAndClose(response)
	})
}

func httpBodyFixed(l load) {
	url := serveHTTP(l)
	l.serve(func(n int) {
		response, err := http.Get(request(url, n))
		if err != nil {
			return
		}
		defer readAndClose(response)
		if response.StatusCode == http.StatusOK {
			use(n)
		}
	})
}

func readAndClose(response *http.Response) {
	size, _ := io.Copy(io.Discard, response.Body)
	use(int(size))
	_ = response.Body.Close()
}
