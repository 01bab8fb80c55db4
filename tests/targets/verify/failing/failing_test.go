// SPDX-License-Identifier: Apache-2.0

// Package failing has a test that fails, and leaves a goroutine because it has.
package failing

import "testing"

func TestFails(t *testing.T) {
	done := make(chan int)
	go func() { done <- 1 }() // leak: TestFails creation
	t.Fatal("before the value was received")
}
