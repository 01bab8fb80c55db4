// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"example.com/targets/internal/visit"
)

func connectHTTP(address string, _, _ int) (func() error, error) {
	client := visit.NewClient()
	return func() error { return answer(client.Get("http://" + address + "/")) }, nil
}

func connectEtcd(address string, number, _ int) (func() error, error) {
	client := visit.NewClient()
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

func answer(response *http.Response, err error) error {
	_, err = visit.Answer(response, err)
	return err
}
