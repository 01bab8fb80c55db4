// SPDX-License-Identifier: Apache-2.0

// Clients visits a server as its users do, for a limited time, and says each second in a line of JSON how often each thing that can be
// asked of it was answered. It only ever connects to this machine's loopback addresses.
//
//	clients [-for 10m] [-minute 1m] [-rate 20] busy KIND HOST:PORT
//	clients [-for 10m] [-minute 1m] [-count 60] [-over 10m] idle KIND HOST:PORT
//
// busy: asks at that rate over connections that it keeps, now and then over new ones, once a minute in a burst of them, and pauses for
// two minutes of ten. Watches, subscriptions, streams and so on come and go all the time.
// idle: so many come one after another within the time that -over says, and stay, with little to do.
//
// KIND: etcd, nats, caddy (with the configuration of tests/accuracy/servers.py), prometheus or alertmanager.
// The minute is the measure of all that happens: with -minute 6s everything is ten times as fast, but for the rate.
// It ends early on SIGTERM, and closes its connections then. On SIGKILL they break off.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/targets/internal/loopback"
)

const (
	longest = 2 * time.Hour
	maxRate = 1000
	most    = 1000 // clients at a time
)

// An asker has a connection to the server, or a few, and asks one thing after another.
type asker interface {
	// ask asks the n-th of all there is to ask, and says what that was, also when it fails.
	ask(n int) (what string, err error)
	close()
}

// stay remains with the server until the context ends, and calls heard whenever something came from there. An error before
// that means that the server has broken it off.
type stay func(ctx context.Context, address string, number int, heard func()) error

// kind is how servers of some kind are visited.
type kind struct {
	asks    []string                                        // all that there is to ask
	connect func(address string, number int) (asker, error) // the number makes what it asks its own
	stays   map[string]stay
	idle    []string // which of these the idle ones do, in turn
}

var kinds = map[string]kind{"etcd": etcd, "nats": nats, "caddy": caddy, "prometheus": prometheus, "alertmanager": alertmanager}

type options struct {
	length, minute, over time.Duration
	rate                 float64
	count                int
	mode, kind, address  string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("clients: ")
	opt, err := parse()
	if err != nil {
		log.Print(err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, opt.length)
	defer cancel()
	visitors := &visitors{kind: kinds[opt.kind], address: opt.address, minute: opt.minute, said: newTally(kinds[opt.kind], opt.mode)}
	go visitors.said.report()
	if opt.mode == "busy" {
		visitors.busy(ctx, opt.rate)
	} else {
		visitors.idle(ctx, opt.count, opt.over)
	}
	visitors.said.print()
}

func parse() (options, error) {
	var opt options
	flag.DurationVar(&opt.length, "for", 10*time.Minute, "how long")
	flag.DurationVar(&opt.minute, "minute", time.Minute, "how long a minute is")
	flag.Float64Var(&opt.rate, "rate", 20, "of busy ones: questions a second over connections that stay")
	flag.IntVar(&opt.count, "count", 60, "of idle ones: how many")
	flag.DurationVar(&opt.over, "over", 10*time.Minute, "of idle ones: all have come within this time")
	flag.Parse()
	opt.mode, opt.kind, opt.address = flag.Arg(0), flag.Arg(1), flag.Arg(2)
	_, known := kinds[opt.kind]
	switch {
	case flag.NArg() != 3 || !known || (opt.mode != "busy" && opt.mode != "idle"):
		return opt, errors.New("usage: clients [options] busy|idle KIND HOST:PORT")
	case opt.length <= 0 || opt.length > longest:
		return opt, fmt.Errorf("-for must be above 0 and at most %v", longest)
	case opt.minute < time.Second:
		return opt, errors.New("-minute must be at least 1s")
	case !(opt.rate > 0 && opt.rate <= maxRate):
		return opt, fmt.Errorf("-rate must be above 0 and at most %d", maxRate)
	case opt.count < 1 || opt.count > most || opt.over < 0:
		return opt, fmt.Errorf("-count must be from 1 to %d, -over not below 0", most)
	}
	return opt, loopback.Check(opt.address)
}
