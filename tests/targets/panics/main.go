// SPDX-License-Identifier: Apache-2.0

// Panics panics in every way, and recovers in most, or dies. Its commands:
//
//	panic KIND N   N times in that way; answers nothing
//	kinds          answers them all
//	totals         answers, as JSON in one line, {"panics", "recovered", "sites": [[type, function, line, text, times]…]}: how
//	               many have begun, after how many the program went on, and of what those were, as it sees them itself
//	die HOW        ends the program, or so it seems: `die asleep` and `die hog` give no answer until they do
//
// and those of package console.
package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"example.com/targets/internal/console"
)

type site struct {
	Type     string
	Function string
	Line     int
	Text     string
}

var (
	begun     int64 // by hand, at each panic
	mu        sync.Mutex
	recovered = map[site]int{}
)

func main() {
	console.Serve(map[string]console.Command{"panic": panicIn, "kinds": names, "totals": totals, "die": die})
}

func panicIn(args []string) (string, error) {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return "", err
	}
	way, ok := ways[args[0]]
	if !ok {
		return "", fmt.Errorf("no such kind: %s", args[0])
	}
	for i := 0; i < n; i++ {
		way()
	}
	return "", nil
}

func names([]string) (string, error) {
	var all []string
	for name := range ways {
		all = append(all, name)
	}
	return strings.Join(all, " "), nil
}

func totals([]string) (string, error) {
	mu.Lock()
	defer mu.Unlock()
	sum := 0
	all := [][]any{}
	for s, n := range recovered {
		sum += n
		all = append(all, []any{s.Type, s.Function, s.Line, s.Text, n})
	}
	text, err := json.Marshal(map[string]any{"panics": atomic.LoadInt64(&begun), "recovered": sum, "sites": all})
	return string(text), err
}

// begin is called beside what panics.
func begin() { atomic.AddInt64(&begun, 1) }

// handle runs f as a server runs a handler: whatever it does, the program goes on.
//
//go:noinline
func handle(f func()) {
	defer func() {
		note(recover())
	}()
	f()
}

// note is called by the deferred function that has recovered.
func note(value any) {
	mu.Lock()
	defer mu.Unlock()
	function, line := panicked()
	recovered[site{Type: typeOf(value), Function: function, Line: line, Text: textOf(value)}]++
}

func typeOf(value any) string {
	if value == nil {
		return "nil"
	}
	return fmt.Sprintf("%T", value)
}

// textOf gives what is in the value itself, and nothing where only its methods would know.
func textOf(value any) string {
	switch v := value.(type) {
	case nil, *failure:
		return ""
	case error:
		return v.Error()
	default:
		return fmt.Sprint(v)
	}
}

// panicked gives the innermost function outside the runtime below the panic.
func panicked() (string, int) {
	pcs := make([]uintptr, 512)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	panics := false
	for {
		f, more := frames.Next()
		if panics && !strings.HasPrefix(f.Function, "runtime.") {
			return f.Function, f.Line
		}
		panics = panics || f.Function == "runtime.gopanic"
		if !more {
			return "", 0
		}
	}
}
