// SPDX-License-Identifier: Apache-2.0

// Healthy is many small services in one program that look as if they leaked goroutines, and don't: pools that fill, bursts,
// supervisors that wait for as long as the program runs, connections that become more.
//
//	healthy [-minute D] NAME
//	healthy -list
//
// The minute is the measure of all that happens in them: with -minute 6s everything is ten times as fast. It runs until it is killed.
// Each service has a file of its own, NAME.go.
package main

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"sync/atomic"
	"time"
)

var services = map[string]func(minute time.Duration){}

// register is called as the program begins, once for each file.
func register(name string, run func(time.Duration)) struct{} {
	services[name] = run
	return struct{}{}
}

func main() {
	list := flag.Bool("list", false, "print the names of all services")
	minute := flag.Duration("minute", time.Minute, "how long a minute is")
	flag.Parse()
	if *list {
		printNames()
		return
	}
	run, known := services[flag.Arg(0)]
	if !known || flag.NArg() != 1 || *minute < time.Second {
		fmt.Fprintln(os.Stderr, "usage: healthy [-minute D] NAME, or healthy -list")
		os.Exit(2)
	}
	run(*minute)
}

func printNames() {
	var names []string
	for name := range services {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Println(name)
	}
}

// every calls work with 1, 2, 3 and so on, once each period, for ever.
func every(period time.Duration, work func(n int)) {
	tick := time.NewTicker(period)
	for n := 1; ; n++ {
		<-tick.C
		work(n)
	}
}

var used atomic.Int64

// use does something with a result, so that it is one.
func use(n int) { used.Add(int64(n)) }
