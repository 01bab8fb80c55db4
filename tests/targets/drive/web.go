// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

func connectHTTP(address string, _, _ int) (func() error, error) {
	client := newClient()
	return func() error { return answer(client.Get("http://" + address + "/")) }, nil
}

func connectEtcd(address string, number, _ int) (func() error, error) {
	client := newClient()
	put, err := json.Marshal(map[string][]byte{ // as text in base64, as the gateway wants it
		"key":   []byte(fmt.Sprintf("bench/%d", number)),
		"value": make([]byte, 100),
	})
	if err != nil {
		return nil, err
	}
	return func() error {
		return answer(client.Post("http://"+address+"/v3/kv/put", "application/json", strings.NewReader(string(put))))
	}, nil
}

// newClient has a connection of its own.
func newClient() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{Proxy: nil}}
}

func answer(response *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Request.URL, response.Status)
	}
	return nil
}
