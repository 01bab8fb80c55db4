// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"sync"
	"time"
)

// tally counts what came of what was asked.
type tally struct {
	mu     sync.Mutex
	Done   map[string]int `json:"done"`
	Failed map[string]int `json:"failed"`
	Error  string         `json:"error"` // the last one
}

// newTally has a zero for each thing that is going to be asked.
func newTally(asked kind, mode string) *tally {
	t := &tally{Done: map[string]int{}, Failed: map[string]int{}}
	names := asked.idle
	if mode == "busy" {
		names = asked.asks
		for name := range asked.stays {
			t.Done[name] = 0
		}
	}
	for _, name := range names {
		t.Done[name] = 0
	}
	return t
}

func (t *tally) add(what string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.Done[what]++
		return
	}
	t.Failed[what]++
	t.Error = what + ": " + err.Error()
}

func (t *tally) print() {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(t)
}

func (t *tally) report() {
	for range time.Tick(time.Second) {
		t.print()
	}
}
