// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"runtime/pprof"
)

// startLabels starts goroutines with few labels and with so many that a map of them has grown.
func startLabels() {
	few := map[string]string{"tenant": "müller & sons", "empty": ""}
	many := map[string]string{}
	for i := 0; i < 30; i++ {
		many[fmt.Sprintf("key %d", i)] = fmt.Sprintf("value %d", i*i)
	}
	for name, labels := range map[string]map[string]string{"few labels": few, "many labels": many} {
		var words []string
		for key, value := range labels {
			words = append(words, key, value)
		}
		pprof.Do(context.Background(), pprof.Labels(words...), func(context.Context) {
			never := make(chan bool)
			start(name, channel("receive", "bool", 0, 0, 0, 1, never).with(truth{"labels": labels}), func() { <-never })
		})
	}
}
