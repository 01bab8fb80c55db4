// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"example.com/targets/internal/visit"
)

// page is one request.
type page struct {
	name string
	path string // with the query
	body string // empty: it is a GET
	then func(answer []byte) (page, error)
}

// webAsker asks for one page after another on a connection of its own.
type webAsker struct {
	client *http.Client
	base   string
	pages  func(n int) []page
}

// web is a server that is asked for these pages, made anew for each round through them.
func web(pages func(number, round int) []page, stays map[string]stay, idle ...string) kind {
	var names []string
	for _, page := range pages(0, 0) {
		names = append(names, page.name)
	}
	connect := func(address string, number int) (asker, error) {
		return &webAsker{visit.NewClient(), "http://" + address, func(round int) []page { return pages(number, round) }}, nil
	}
	return kind{names, connect, stays, idle}
}

func (a *webAsker) ask(n int) (string, error) {
	count := len(a.pages(0))
	asked := a.pages(n / count)[n%count]
	return asked.name, a.get(asked)
}

func (a *webAsker) get(asked page) error {
	method := http.MethodGet
	if asked.body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, a.base+asked.path, strings.NewReader(asked.body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := visit.Answer(a.client.Do(request))
	if err != nil || asked.then == nil {
		return err
	}
	next, err := asked.then(answer)
	if err != nil {
		return err
	}
	return a.get(next)
}

func (a *webAsker) close() { a.client.CloseIdleConnections() }

// rarely keeps a connection on which it asks for a page now and then.
func rarely(path string) stay {
	return func(ctx context.Context, address string, _ int, heard func()) error {
		client := visit.NewClient()
		defer client.CloseIdleConnections()
		for {
			if _, err := visit.Answer(client.Get("http://" + address + path)); err != nil {
				return err
			}
			heard()
			if !sleep(ctx, 10*time.Second) {
				return nil
			}
		}
	}
}

// polls asks again and again for a page that lets it wait.
func polls(path string) stay {
	return func(ctx context.Context, address string, _ int, heard func()) error {
		client := endless()
		defer client.CloseIdleConnections()
		for ctx.Err() == nil {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
			if err != nil {
				return err
			}
			if _, err := visit.Answer(client.Do(request)); err != nil {
				return err
			}
			heard()
		}
		return nil
	}
}

// streams reads line by line what a page goes on to answer; body as of a page.
func streams(method, path string, body func(number int) string) stay {
	return func(ctx context.Context, address string, number int, heard func()) error {
		client := endless()
		defer client.CloseIdleConnections()
		request, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, strings.NewReader(body(number)))
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", request.URL, response.Status)
		}
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			heard()
		}
		return fmt.Errorf("%s: the stream has ended (%v)", request.URL, lines.Err())
	}
}

// endless is a client that waits for as long as it takes.
func endless() *http.Client {
	client := visit.NewClient()
	client.Timeout = 0
	return client
}

func nothing(int) string { return "" }
