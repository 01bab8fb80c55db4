// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
)

var _ = register("io_pipe", ioPipe, ioPipeFixed)

// ioPipe writes a report into a pipe while it is read at the other end. A reader that has seen enough goes away without closing it.
func ioPipe(l load) {
	l.serve(func(n int) {
		reader, writer := io.Pipe()
		go func() { // leak-go
			for i := 0; i < 3; i++ {
				if _, err := fmt.Fprintln(writer, "line", i); err != nil { // leak: evidence=growing cause=pipe_never_closed
					return
				}
			}
			_ = writer.Close()
		}()
		readReport(reader, l.unlucky(n))
	})
}

func ioPipeFixed(l load) {
	l.serve(func(n int) {
		reader, writer := io.Pipe()
		go func() {
			for i := 0; i < 3; i++ {
				if _, err := fmt.Fprintln(writer, "line", i); err != nil {
					return
				}
			}
			_ = writer.Close()
		}()
		defer reader.Close()
		readReport(reader, l.unlucky(n))
	})
}

func readReport(reader io.Reader, fails bool) {
	var line [64]byte
	for {
		n, err := reader.Read(line[:])
		if err != nil || fails {
			return
		}
		use(n)
	}
}
