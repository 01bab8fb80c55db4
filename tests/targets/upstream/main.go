// SPDX-License-Identifier: Apache-2.0

// Upstream is what stands behind a proxy: short pages, slow ones, long polls, streams of events, and tunnels. It says where it listens
// and runs until it is killed.
//
//	upstream [-minute D]
//
// News comes once each minute, events ten times.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

type upstream struct {
	minute time.Duration
	mu     sync.Mutex
	news   chan struct{} // closed with each piece of news
}

func main() {
	minute := flag.Duration("minute", time.Minute, "how long a minute is")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	up := &upstream{minute: *minute, news: make(chan struct{})}
	go up.tellNews()
	http.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	http.HandleFunc("/slow", up.slow)
	http.HandleFunc("/poll", up.poll)
	http.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) { stream(w, r, up.minute/10) })
	http.HandleFunc("/quiet", func(w http.ResponseWriter, r *http.Request) { stream(w, r, 24*time.Hour) })
	http.HandleFunc("/tunnel", tunnel)
	log.Fatal(http.Serve(listener, nil))
}

func (u *upstream) tellNews() {
	for range time.Tick(u.minute) {
		u.mu.Lock()
		close(u.news)
		u.news = make(chan struct{})
		u.mu.Unlock()
	}
}

func (u *upstream) slow(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(u.minute / 120)
	fmt.Fprintln(w, "at last")
}

// poll answers when there is news, or after half a minute.
func (u *upstream) poll(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	news := u.news
	u.mu.Unlock()
	select {
	case <-news:
		fmt.Fprintln(w, "news")
	case <-time.After(u.minute / 2):
		fmt.Fprintln(w, "nothing")
	case <-r.Context().Done():
	}
}

// stream sends events, the first at once, until the visitor goes.
func stream(w http.ResponseWriter, r *http.Request, period time.Duration) {
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(period)
	defer tick.Stop()
	for n := 0; ; n++ {
		if _, err := fmt.Fprintf(w, "data: %d\n\n", n); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// tunnel takes the connection over and sends back each line, as servers of web sockets do.
func tunnel(w http.ResponseWriter, _ *http.Request) {
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		log.Print(err)
		return
	}
	defer conn.Close()
	fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n")
	for lines := bufio.NewScanner(buffered); lines.Scan(); {
		if _, err := fmt.Fprintln(conn, lines.Text()); err != nil {
			return
		}
	}
}
