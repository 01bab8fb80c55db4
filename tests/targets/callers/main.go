// SPDX-License-Identifier: Apache-2.0

// Callers leaks goroutines by one `go` statement that is reached in several ways: directly, through a function that is
// inlined, a method, a closure, a deep recursion. Its commands:
//
//	leak N      starts N goroutines in each way, which never end; answers N
//	callers     answers, as JSON in one line, the ways: each a list of [function, file, line] from the one that has the `go`
//	            statement outwards, as runtime.Callers sees it (whose line is that of the look, beside the statement)
//
// and those of package console.
package main

import (
	"encoding/json"
	"runtime"
	"strconv"
	"strings"

	"example.com/targets/internal/console"
)

type frame [3]any // function, file, line

var ways = map[string][]frame{} // by their text

func main() {
	console.Serve(map[string]console.Command{"leak": leak, "callers": callers})
}

func leak(args []string) (string, error) {
	n, err := console.Count(args)
	if err != nil {
		return "", err
	}
	for i := 0; i < n; i++ {
		direct()
		throughInlined()
		(&server{}).handle()
		func() { start() }()
		deep(20)
	}
	return strconv.Itoa(n), nil
}

func callers([]string) (string, error) {
	var all [][]frame
	for _, way := range ways {
		all = append(all, way)
	}
	text, err := json.Marshal(all)
	return string(text), err
}

//go:noinline
func start() {
	note()
	go stuck()
}

func stuck() {
	<-make(chan int)
}

//go:noinline
func direct() {
	start()
}

//go:noinline
func throughInlined() {
	inlined()
}

func inlined() {
	start()
}

type server struct{ busy bool }

//go:noinline
func (s *server) handle() {
	s.busy = true
	start()
}

//go:noinline
func deep(more int) int {
	if more == 0 {
		start()
		return 0
	}
	return deep(more-1) + 1
}

// note keeps the way in which its caller was reached.
func note() {
	pcs := make([]uintptr, 128)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var way []frame
	var key strings.Builder
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			way = append(way, frame{f.Function, f.File, f.Line})
			key.WriteString(f.Function + strconv.Itoa(f.Line) + "\n")
		}
		if !more {
			break
		}
	}
	ways[key.String()] = way
}
