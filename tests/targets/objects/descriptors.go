// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"syscall"
)

// descriptor is what is true of a net.Conn, net.Listener or *os.File. The runtime's pollDesc is known to nobody but
// internal/poll.FD, within each of them.
func descriptor(object any, direction string) truth {
	fd := poller(object)
	return truth{
		"kind": "descriptor", "address": fmt.Sprintf("%#x", fd.FieldByName("pd").FieldByName("runtimeCtx").Uint()),
		"fd": fd.FieldByName("Sysfd").Int(), "direction": direction,
	}
}

func poller(object any) reflect.Value {
	value := reflect.ValueOf(object).Elem()
	if file := value.FieldByName("file"); file.IsValid() { // os.File
		return file.Elem().FieldByName("pfd")
	}
	if conn := value.FieldByName("conn"); conn.IsValid() { // net.TCPConn and its like
		value = conn
	}
	return value.FieldByName("fd").Elem().FieldByName("pfd")
}

func (t truth) with(more truth) truth {
	for key, value := range more {
		t[key] = value
	}
	return t
}

func startDescriptors() {
	startTCP("tcp4", "127.0.0.1:0", "")
	if listener, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		must(listener.Close())
		startTCP("tcp6", "[::1]:0", " ipv6")
	}
	startBlockedWriters()

	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(err)
	start("udp", descriptor(udp, "read").with(truth{"protocol": "udp", "local": udp.LocalAddr().String()}), func() {
		_, _, err := udp.ReadFrom(make([]byte, 1))
		must(err)
	})

	folder, err := os.MkdirTemp("", "objects")
	must(err)
	path := filepath.Join(folder, "a b")
	listener, err := net.Listen("unix", path)
	must(err)
	must(os.RemoveAll(folder))
	start("unix", descriptor(listener, "read").with(truth{"protocol": "unix", "local": path, "state": "LISTEN"}),
		func() { accept(listener) })

	reader, _, err := os.Pipe()
	must(err)
	link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", poller(reader).FieldByName("Sysfd").Int()))
	must(err)
	start("pipe", descriptor(reader, "read").with(truth{"file": link}), func() { read(reader) })

	var blocking [2]int
	must(syscall.Pipe(blocking[:]))
	start("system call", truth{"kind": "syscall", "address": nil, "number": syscall.SYS_READ, "name": "read"}, func() {
		_, err := syscall.Read(blocking[0], make([]byte, 1))
		must(err)
	})
}

// kept holds what nobody may close.
var kept []any

func startTCP(network, place, suffix string) {
	listener, err := net.Listen(network, place)
	must(err)
	client, err := net.Dial(network, listener.Addr().String())
	must(err)
	server, err := listener.Accept()
	must(err)
	kept = append(kept, server)
	start("listener"+suffix, descriptor(listener, "read").with(truth{
		"protocol": "tcp", "local": listener.Addr().String(), "state": "LISTEN",
	}), func() { accept(listener) })
	start("reader of a connection"+suffix, descriptor(client, "read").with(truth{
		"protocol": "tcp", "local": client.LocalAddr().String(), "remote": client.RemoteAddr().String(),
		"state": "ESTABLISHED",
	}), func() { read(client) })
}

// startBlockedWriters has one goroutine write more than anybody takes, and another wait for its turn.
func startBlockedWriters() {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	client, err := net.Dial("tcp4", listener.Addr().String())
	must(err)
	server, err := listener.Accept()
	must(err)
	kept = append(kept, server, listener)
	start("writer to a connection", descriptor(client, "write").with(truth{
		"protocol": "tcp", "local": client.LocalAddr().String(), "remote": client.RemoteAddr().String(),
		"state": "ESTABLISHED",
	}), func() { write(client, 64<<20) })
	lock := poller(client).FieldByName("fdmu")
	const writeLocked = 1 << 2 // internal/poll.mutexWLock
	for lock.FieldByName("state").Uint()&writeLocked == 0 {
		runtime.Gosched()
	}
	sema := lock.FieldByName("wsema").UnsafeAddr()
	start("semaphore", truth{
		"kind": "semaphore", "address": fmt.Sprintf("%#x", sema), "value": 0, "waiters": 1,
	}, func() { write(client, 1) })
}

func accept(listener net.Listener) {
	_, err := listener.Accept()
	must(err)
}

func read(from interface{ Read([]byte) (int, error) }) {
	_, err := from.Read(make([]byte, 1))
	must(err)
}

func write(conn net.Conn, size int) {
	_, err := conn.Write(make([]byte, size))
	must(err)
}
