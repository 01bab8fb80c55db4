// SPDX-License-Identifier: Apache-2.0

// Command plain ends in the way that it is told, and leaves goroutines or not.
//
//	plain [-leave N] [-late DURATION] [-status N] [-from-goroutine] [-serve FILE] [-panic] [-kill] [-hide]
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

var never = make(chan int)

func main() {
	leave := flag.Int("leave", 0, "how many goroutines it leaves behind")
	late := flag.Duration("late", 0, "how long one goroutine more goes on after the end of main")
	status := flag.Int("status", 0, "what it exits with")
	fromGoroutine := flag.Bool("from-goroutine", false, "exit from another goroutine than main")
	serve := flag.String("serve", "", "write this file, and wait for SIGTERM")
	panics := flag.Bool("panic", false, "die of a panic")
	kill := flag.Bool("kill", false, "die of SIGKILL")
	hide := flag.Bool("hide", false, "let nobody but root look into this process")
	flag.Parse()
	fmt.Println("begun")
	var begun sync.WaitGroup // of goroutines that have not run yet nobody can say where they will stop
	for i := 0; i < *leave; i++ {
		begun.Add(1)
		go wait(&begun) // leak: plain
	}
	begun.Wait()
	if *late > 0 {
		go time.Sleep(*late)
	}
	if *hide {
		const setDumpable = 4 // PR_SET_DUMPABLE
		if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setDumpable, 0, 0); errno != 0 {
			panic(errno)
		}
	}
	if *serve != "" {
		waitForTerm(*serve)
	}
	if *panics {
		panic("as told")
	}
	if *kill {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	if *fromGoroutine {
		go os.Exit(*status)
		select {}
	}
	if *status != 0 {
		os.Exit(*status)
	}
}

//go:noinline
func wait(begun *sync.WaitGroup) {
	begun.Done()
	<-never
}

func waitForTerm(file string) {
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM, syscall.SIGINT)
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		panic(err)
	}
	fmt.Println("ended by", <-terms)
}
