// SPDX-License-Identifier: Apache-2.0

// Package visit asks servers by HTTP.
package visit

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// NewClient has connections of its own.
func NewClient() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{Proxy: nil}}
}

// Answer reads the whole answer to a request, whose results it takes. Any status but 200 is an error.
func Answer(response *http.Response, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", response.Request.URL, response.Status)
	}
	return body, nil
}
