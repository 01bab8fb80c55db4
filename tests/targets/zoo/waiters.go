// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// startWaiters starts goroutines that differ in what they wait for.
func startWaiters() {
	go chanReceive()
	go chanRange()
	go chanSend()
	go chanSendFull()
	go chanReceiveNil()
	go chanSendNil()
	go selectSeveral()
	go selectNone()
	go mutexLock()
	go rwMutexRLock()
	go rwMutexLock()
	go waitGroup()
	go condWait()
	go sleep()
	go timerReceive()
	go contextDone()
	go lockedToThread()
	go readSyscall()
	startNetwork()
}

func chanReceive() {
	<-make(chan int)
}

func chanRange() {
	for range make(chan int) {
	}
}

func chanSend() {
	make(chan int) <- 1
}

func chanSendFull() {
	c := make(chan int, 2)
	for {
		c <- 1
	}
}

func chanReceiveNil() {
	var c chan int
	<-c
}

func chanSendNil() {
	var c chan int
	c <- 1
}

func selectSeveral() {
	a, b, c := make(chan int), make(chan string), make(chan struct{}, 1)
	c <- struct{}{}
	select {
	case <-a:
	case b <- "":
	case c <- struct{}{}:
	}
}

func selectNone() {
	select {}
}

func mutexLock() {
	var mu sync.Mutex
	mu.Lock()
	mu.Lock()
}

func rwMutexRLock() {
	var mu sync.RWMutex
	mu.Lock()
	mu.RLock()
}

func rwMutexLock() {
	var mu sync.RWMutex
	mu.RLock()
	mu.Lock()
}

func waitGroup() {
	var wg sync.WaitGroup
	wg.Add(1)
	wg.Wait()
}

func condWait() {
	cond := sync.NewCond(&sync.Mutex{})
	cond.L.Lock()
	cond.Wait()
}

func sleep() {
	time.Sleep(24 * time.Hour)
}

func timerReceive() {
	<-time.After(24 * time.Hour)
}

func contextDone() {
	ctx, cancel := context.WithTimeout(context.Background(), 24*time.Hour)
	defer cancel()
	<-ctx.Done()
}

func lockedToThread() {
	runtime.LockOSThread()
	<-make(chan int)
}

// readSyscall holds its thread in a read that the network poller knows nothing of.
func readSyscall() {
	var pipe [2]int
	must(syscall.Pipe(pipe[:]))
	_, err := syscall.Read(pipe[0], make([]byte, 1))
	must(err)
}

// startNetwork starts one goroutine that accepts and, at the ends of a connection, one that reads.
func startNetwork() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	client, err := net.Dial("tcp", listener.Addr().String())
	must(err)
	server, err := listener.Accept()
	must(err)
	go accept(listener)
	go read(client, server)
}

func accept(listener net.Listener) {
	_, err := listener.Accept()
	must(err)
}

// read takes the other end too, so that nobody closes it.
func read(conn, peer net.Conn) {
	_, err := conn.Read(make([]byte, 1))
	must(err)
	runtime.KeepAlive(peer)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
