// SPDX-License-Identifier: Apache-2.0

// Leaks is many small services in one program. Each leaks goroutines in a way of its own that is common in Go programs; its
// corrected twin does the same work and leaks nothing.
//
//	leaks [-period D] [-rare N] [-well D] NAME [fixed]
//	leaks -list
//
// A request (a job, a session, a connection) comes each period, and one of so many takes the path that leaks. It runs until it is
// killed. Each service has a file of its own, NAME.go, whose comments say what goleakd has to find in it:
//
//	// leak-go                            the `go` statement that starts them
//	// leak: evidence=A|B cause=C|D       the line where they are stuck
//	// panic: kind=TYPE                   the line of a panic that is recovered
//
// Where a file has several, a word ties the two together: `leak-go: reader`, `leak: reader evidence=…`; the word `request` means the
// goroutines that load.go starts. `created=` and `blocked=` name functions, with wildcards, where Go's own packages start
// the goroutine or hold it; `severity=info` is for what goleakd reports without an alert.
package main

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"time"
)

type service struct{ leaky, fixed func(load) }

var services = map[string]service{}

// register is called as the program begins, once for each file.
func register(name string, leaky, fixed func(load)) struct{} {
	services[name] = service{leaky, fixed}
	return struct{}{}
}

func main() {
	list := flag.Bool("list", false, "print the names of all services")
	period := flag.Duration("period", 100*time.Millisecond, "from one request to the next")
	rare := flag.Int("rare", 10, "of so many requests one takes the path that leaks")
	well := flag.Duration("well", 0, "how long a service that stops after having worked for some time does work")
	flag.Parse()
	if *list {
		printNames()
		return
	}
	chosen, known := services[flag.Arg(0)]
	fixed := flag.NArg() == 2 && flag.Arg(1) == "fixed"
	if !known || flag.NArg() > 2 || (flag.NArg() == 2 && !fixed) || *period <= 0 || *rare < 1 {
		fmt.Fprintln(os.Stderr, "usage: leaks [-period D] [-rare N] [-well D] NAME [fixed], or leaks -list")
		os.Exit(2)
	}
	run := chosen.leaky
	if fixed {
		run = chosen.fixed
	}
	run(load{period: *period, rare: *rare, well: *well})
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
