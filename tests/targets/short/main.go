// SPDX-License-Identifier: Apache-2.0

// Command short is over soon, or becomes another program, or two: what discovery and probes must bear.
//
//	short [-until FILE] [-for DURATION] [-fork] [-exec PROGRAM] [ARGUMENTS…]
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	until := flag.String("until", "", "a file that it waits for, before anything else")
	life := flag.Duration("for", 0, "how long it lives")
	forks := flag.Bool("fork", false, "copy itself then, by fork alone, and wait for the copy, which ends with its standard input")
	program := flag.String("exec", "", "what it becomes then, by an execve from a thread that is not the first")
	flag.Parse()
	for *until != "" {
		if _, err := os.Stat(*until); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(*life)
	if *forks {
		if err := outliveCopy(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
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

const copyEnds = 3

// outliveCopy makes a copy of this process, with all that is in its memory, as fork does in C, and returns after its end.
// The copy has one thread of all, and can do nothing but wait in a system call.
func outliveCopy() error {
	var input [1]byte
	pid, _, errno := syscall.RawSyscall(syscall.SYS_FORK, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		syscall.RawSyscall(syscall.SYS_READ, 0, uintptr(unsafe.Pointer(&input)), 1)
		for {
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, copyEnds, 0, 0)
		}
	}
	var status syscall.WaitStatus
	_, err := syscall.Wait4(int(pid), &status, 0, nil)
	for err == syscall.EINTR {
		_, err = syscall.Wait4(int(pid), &status, 0, nil)
	}
	if err == nil && status.ExitStatus() != copyEnds {
		err = fmt.Errorf("the copy ended with %#x", status)
	}
	return err
}
