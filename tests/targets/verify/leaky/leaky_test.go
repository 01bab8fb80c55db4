// SPDX-License-Identifier: Apache-2.0

package leaky

import (
	"testing"
	"time"
)

func TestDirect(t *testing.T) {
	go func() { // leak: TestDirect creation
		<-never
	}()
}

func TestCallback(t *testing.T) {
	Run(func() { <-never })
}

func TestParent(t *testing.T) {
	go func() { // leak: TestParent creation
		Start()
		<-never
	}()
}

// Which test has called Start is known by its other goroutine, from Go 1.21 on.
func TestSibling(t *testing.T) {
	Start()
	go func() { // leak: TestSibling creation
		select {}
	}()
}

// Nothing tells that Start was called here.
func TestHelper(t *testing.T) {
	Start()
}

func TestSubtests(t *testing.T) {
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			go func() { // leak: TestSubtests creation
				for range never {
				}
			}()
		})
	}
}

func TestParallel(t *testing.T) {
	for _, name := range []string{"one", "two", "three"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			go func() { // leak: TestParallel creation
				unwanted <- 1
			}()
		})
	}
}

type suite struct{}

func (*suite) TestMethod(t *testing.T) {
	go func() { // leak: (*suite).TestMethod creation
		for {
			time.Sleep(time.Millisecond)
		}
	}()
}

func TestSuite(t *testing.T) {
	t.Run("method", new(suite).TestMethod)
}

// A goroutine that takes a while to end is no leak.
func TestLate(t *testing.T) {
	go time.Sleep(300 * time.Millisecond)
}

func TestClean(t *testing.T) {
	done := make(chan int)
	go close(done)
	<-done
}
