// SPDX-License-Identifier: Apache-2.0

// Drive asks a server as much as it can, or so often a second, until it is killed, and says as package progress does how many
// answers came and what CPU time the server has used. It only ever connects to this machine's loopback addresses.
//
//	drive [-connections 8] [-rate 0] http|nats|etcd HOST:PORT SERVER_PID
//
// http: gets the page /; an operation is an answer.
// nats: publishes to a subject that another of its connections has subscribed to; an operation is a message that arrived.
// etcd: puts a value by the JSON gateway; an operation is an answer.
package main

import (
	"flag"
	"log"
	"strconv"
	"sync/atomic"
	"time"

	"example.com/targets/internal/loopback"
	"example.com/targets/internal/progress"
)

// A connect function connects for the client of that number of so many and returns what does one operation. All have
// connected before any does one.
type connect func(address string, number, clients int) (operation func() error, err error)

func main() {
	log.SetFlags(0)
	log.SetPrefix("drive: ")
	connections := flag.Int("connections", 8, "clients at a time")
	rate := flag.Float64("rate", 0, "operations a second, of all clients together; 0: as many as go")
	flag.Parse()
	protocols := map[string]connect{"http": connectHTTP, "nats": connectNATS, "etcd": connectEtcd}
	protocol := protocols[flag.Arg(0)]
	if protocol == nil || flag.NArg() != 3 || *connections < 1 || *rate < 0 {
		log.Fatal("usage: drive [-connections N] [-rate N] http|nats|etcd HOST:PORT SERVER_PID")
	}
	address := flag.Arg(1)
	if err := loopback.Check(address); err != nil {
		log.Fatal(err)
	}
	pid, err := strconv.Atoi(flag.Arg(2))
	if err != nil {
		log.Fatal(err)
	}

	operations := make([]func() error, *connections)
	for i := range operations {
		if operations[i], err = protocol(address, i, *connections); err != nil {
			log.Fatal(err)
		}
	}
	var ops atomic.Uint64
	for _, operation := range operations {
		go repeat(operation, *rate/float64(*connections), &ops)
	}
	progress.Report(0, func() progress.Line {
		cpu, err := progress.CPUOf(pid)
		if err != nil {
			log.Fatal(err)
		}
		return progress.Line{Ops: ops.Load(), CPU: cpu}
	})
}

func repeat(operation func() error, perSecond float64, ops *atomic.Uint64) {
	began := time.Now()
	for done := 0; ; done++ {
		if perSecond > 0 {
			time.Sleep(time.Until(began.Add(time.Duration(float64(done) / perSecond * float64(time.Second)))))
		}
		if err := operation(); err != nil {
			log.Fatal(err)
		}
		ops.Add(1)
	}
}
