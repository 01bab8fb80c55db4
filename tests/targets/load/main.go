// SPDX-License-Identifier: Apache-2.0

// Load sends requests at a fixed rate to the given pages in turn, for a limited time, and sums up what came back. It only
// ever connects to this machine's loopback addresses.
//
//	load [-rate 20] [-for 60s] [-timeout 5s] [-concurrency 32] URL...
//
// A request that is due while as many as allowed are under way is skipped and counted. It ends early on SIGTERM or an
// interrupt, and exits with 1 if nothing was answered.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	maxRate  = 10000
	longest  = 2 * time.Hour
	maxBurst = 1024
)

type options struct {
	rate        float64
	length      time.Duration
	timeout     time.Duration
	concurrency int
	urls        []string
}

func main() {
	opt, err := parse()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	sum := run(ctx, opt)
	fmt.Println(sum)
	if len(sum.took) == 0 {
		os.Exit(1)
	}
}

func parse() (options, error) {
	var opt options
	flag.Float64Var(&opt.rate, "rate", 20, "requests per second")
	flag.DurationVar(&opt.length, "for", time.Minute, "how long")
	flag.DurationVar(&opt.timeout, "timeout", 5*time.Second, "give a request up after this time")
	flag.IntVar(&opt.concurrency, "concurrency", 32, "requests under way at most")
	flag.Parse()
	opt.urls = flag.Args()

	switch {
	case len(opt.urls) == 0:
		return opt, errors.New("usage: load [options] URL...")
	case !(opt.rate > 0 && opt.rate <= maxRate):
		return opt, fmt.Errorf("-rate must be above 0 and at most %d", maxRate)
	case opt.length <= 0 || opt.length > longest:
		return opt, fmt.Errorf("-for must be above 0 and at most %v", longest)
	case opt.timeout <= 0:
		return opt, errors.New("-timeout must be above 0")
	case opt.concurrency < 1 || opt.concurrency > maxBurst:
		return opt, fmt.Errorf("-concurrency must be from 1 to %d", maxBurst)
	}
	for _, raw := range opt.urls {
		if err := checkURL(raw); err != nil {
			return opt, err
		}
	}
	return opt, nil
}

func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return err
	}
	if u.Scheme != "http" {
		return fmt.Errorf("%s: only http is supported", raw)
	}
	if host := u.Hostname(); host != "localhost" && !isLoopback(host) {
		return fmt.Errorf("%s: not a loopback address of this machine", raw)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// newClient returns a client that refuses, whatever names resolve to, every connection that would leave this machine.
func newClient(opt options) *http.Client {
	dialer := &net.Dialer{Control: func(network, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err == nil && !isLoopback(host) {
			err = errors.New("not a loopback address")
		}
		return err
	}}
	return &http.Client{
		Timeout:       opt.timeout,
		Transport:     &http.Transport{Proxy: nil, DialContext: dialer.DialContext, MaxIdleConnsPerHost: opt.concurrency},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// summary collects what came of the requests.
type summary struct {
	mu       sync.Mutex
	statuses map[int]int
	took     []time.Duration // of those that were answered
	failed   int
	lastErr  error
	skipped  int
	length   time.Duration
}

func run(ctx context.Context, opt options) *summary {
	ctx, cancel := context.WithTimeout(ctx, opt.length)
	defer cancel()
	sum := &summary{statuses: make(map[int]int)}
	client := newClient(opt)
	slots := make(chan struct{}, opt.concurrency)
	var underWay sync.WaitGroup

	began := time.Now()
	tick := time.NewTicker(time.Duration(float64(time.Second) / opt.rate))
	defer tick.Stop()
	for due := 0; ; due++ {
		select {
		case <-ctx.Done():
			underWay.Wait()
			sum.length = time.Since(began)
			return sum
		case <-tick.C:
		}
		select {
		case slots <- struct{}{}:
		default:
			sum.skip()
			continue
		}
		underWay.Add(1)
		go func(url string) {
			defer underWay.Done()
			sum.add(get(client, url))
			<-slots
		}(opt.urls[due%len(opt.urls)])
	}
}

func get(client *http.Client, url string) (int, time.Duration, error) {
	began := time.Now()
	response, err := client.Get(url)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, time.Since(began), err
}

func (s *summary) add(status int, took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed++
		s.lastErr = err
		return
	}
	s.statuses[status]++
	s.took = append(s.took, took)
}

func (s *summary) skip() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skipped++
}

// String is called when nobody adds any more.
func (s *summary) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d answered in %.1f s", len(s.took), s.length.Seconds())
	var statuses []int
	for status := range s.statuses {
		statuses = append(statuses, status)
	}
	sort.Ints(statuses)
	for _, status := range statuses {
		fmt.Fprintf(&text, ", %d x %d", s.statuses[status], status)
	}
	fmt.Fprintf(&text, "; %d failed, %d skipped", s.failed, s.skipped)
	if s.lastErr != nil {
		fmt.Fprintf(&text, " (last failure: %v)", s.lastErr)
	}
	if n := len(s.took); n > 0 {
		sort.Slice(s.took, func(i, j int) bool { return s.took[i] < s.took[j] })
		fmt.Fprintf(&text, "; median %v, slowest %v", s.took[n/2].Round(10*time.Microsecond),
			s.took[n-1].Round(10*time.Microsecond))
	}
	return text.String()
}
