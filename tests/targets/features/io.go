// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// connected has clients speak to a server over TCP. One end of each connection lets a deadline pass first.
func connected(s *section) (int, error) {
	const clients, messages = 4, 10
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	for i := 0; i < clients; i++ {
		go s.counted(func() { s.check(ask(listener.Addr().String(), messages)) })()
	}
	for i := 0; i < clients; i++ {
		conn, err := listener.Accept()
		if err != nil {
			return 0, err
		}
		go s.counted(func() { s.check(answer(conn, messages)) })()
	}
	s.alive.Wait()
	return unknown, nil
}

func ask(address string, messages int) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(200 * time.Microsecond)); err != nil {
		return err
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%v instead of a deadline", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	var message [8]byte
	for i := 0; i < messages; i++ {
		binary.LittleEndian.PutUint64(message[:], uint64(i))
		if _, err := conn.Write(message[:]); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, message[:]); err != nil {
			return err
		}
		if got := binary.LittleEndian.Uint64(message[:]); got != uint64(2*i) {
			return fmt.Errorf("asked %d and was answered %d", i, got)
		}
	}
	return nil
}

// answer doubles what it gets.
func answer(conn net.Conn, messages int) error {
	defer conn.Close()
	var message [8]byte
	for i := 0; i < messages; i++ {
		if _, err := io.ReadFull(conn, message[:]); err != nil {
			return err
		}
		binary.LittleEndian.PutUint64(message[:], 2*binary.LittleEndian.Uint64(message[:]))
		if _, err := conn.Write(message[:]); err != nil {
			return err
		}
	}
	_, err := conn.Read(message[:])
	if err != io.EOF {
		return fmt.Errorf("%v instead of an end", err)
	}
	return nil
}

// piped reads from a pipe that the network poller watches.
func piped(s *section) (int, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	go s.counted(func() { s.check(readUpTo(transfers, reader.Read)) })()
	go s.counted(func() {
		for i := 0; i < transfers; i++ {
			_, err := writer.Write([]byte{byte(i)})
			s.check(err)
		}
		s.check(writer.Close())
	})()
	s.alive.Wait()
	return unknown, nil
}

// calledSystem has goroutines block in system calls that the network poller knows nothing of. They do not park.
func calledSystem(s *section) (int, error) {
	for i := 0; i < 2; i++ {
		var pipe [2]int
		if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC); err != nil {
			return 0, err
		}
		read := func(to []byte) (int, error) { return syscall.Read(pipe[0], to) }
		done := func() error { return syscall.Close(pipe[0]) }
		if i == 1 {
			file := os.NewFile(uintptr(pipe[0]), "pipe") // which leaves a descriptor that blocks as it is
			read, done = file.Read, file.Close
		}
		const bytes = 10
		go s.counted(func() { s.check(readUpTo(bytes, read)) })()
		go s.counted(func() {
			for k := 0; k < bytes; k++ {
				pause := syscall.NsecToTimespec(int64(30 * time.Microsecond))
				_ = syscall.Nanosleep(&pause, nil)
				_, err := syscall.Write(pipe[1], []byte{byte(k)})
				s.check(err)
			}
		})()
		s.alive.Wait()
		s.check(syscall.Close(pipe[1]))
		s.check(done())
	}
	return 0, nil
}

// readUpTo reads the bytes 0, 1, …, n-1 and nothing else.
func readUpTo(n int, read func([]byte) (int, error)) error {
	var buffer [16]byte
	for want := 0; want < n; {
		got, err := read(buffer[:])
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		for _, b := range buffer[:got] {
			if b != byte(want) {
				return fmt.Errorf("read %d, not %d", b, want)
			}
			want++
		}
	}
	return nil
}
