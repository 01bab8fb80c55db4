// SPDX-License-Identifier: Apache-2.0

// Command short is over soon, or becomes another program: what discovery must bear.
//
//	short [-for DURATION] [-exec PROGRAM] [ARGUMENTS…]
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

func main() {
	life := flag.Duration("for", 0, "how long it lives")
	program := flag.String("exec", "", "what it becomes then, by an execve from a thread that is not the first")
	flag.Parse()
	time.Sleep(*life)
	if *program == "" {
		return
	}
	runtime.LockOSThread() // the first thread stays with main: the other goroutine has to have another one
	failed := make(chan error)
	go func() {
		failed <- syscall.Exec(*program, append([]string{*program}, flag.Args()...), os.Environ())
	}()
	fmt.Fprintln(os.Stderr, <-failed)
	os.Exit(1)
}
