// SPDX-License-Identifier: Apache-2.0

// Objects keeps goroutines that wait for one object of each kind, and tells what is true of them, for tests that compare
// it with what is seen from outside. Besides the commands of package console it knows
//
//	truth  answers, as JSON on one line, the objects by the name of the goroutine that waits for them
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"sync"

	"example.com/targets/internal/console"
)

// A truth is what is known of one goroutine that waits. Fields have the names that `goleakd dump` uses.
type truth map[string]any

var (
	mu     sync.Mutex
	truths = map[string]truth{}
)

func main() {
	startChannels()
	startLocks()
	startTimers()
	startDescriptors()
	startLabels()
	console.Serve(map[string]console.Command{"truth": func([]string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		text, err := json.Marshal(truths)
		return string(text), err
	}})
}

// start runs wait, which must not return, in a goroutine of its own, and notes what is true of it.
func start(name string, known truth, wait func()) {
	started := make(chan struct{})
	go func() {
		known["id"] = goid()
		mu.Lock()
		truths[name] = known
		mu.Unlock()
		close(started)
		wait()
	}()
	<-started
}

// goid is the number in "goroutine 7 [running]:".
func goid() int {
	text := make([]byte, 64)
	text = text[:runtime.Stack(text, false)]
	id, err := strconv.Atoi(string(bytes.Fields(text)[1]))
	must(err)
	return id
}

func address(pointer any) string {
	return fmt.Sprintf("%p", pointer)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
