// SPDX-License-Identifier: Apache-2.0

package fixed_test

import (
	"os"
	"os/exec"
	"os/signal"
	"testing"
	"time"

	"example.com/targets/verify/fixed"
)

func stopAtEnd(t *testing.T) <-chan int {
	stop := make(chan int)
	t.Cleanup(func() { close(stop) })
	return stop
}

func TestDirect(t *testing.T) {
	stop := stopAtEnd(t)
	go func() { <-stop }()
}

func TestCallback(t *testing.T) {
	stop := stopAtEnd(t)
	fixed.Run(func() { <-stop })
}

func TestParent(t *testing.T) {
	stop := stopAtEnd(t)
	go func() {
		fixed.Start(stop)
		<-stop
	}()
}

func TestSubtests(t *testing.T) {
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) { fixed.Start(stopAtEnd(t)) })
	}
}

func TestParallel(t *testing.T) {
	for _, name := range []string{"one", "two", "three"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fixed.Start(stopAtEnd(t))
		})
	}
}

func TestLate(t *testing.T) {
	go time.Sleep(300 * time.Millisecond)
}

// The copy of this program that it runs leaves a goroutine, and is no test.
func TestHelperProcess(t *testing.T) {
	const copied = "VERIFY_FIXED_COPY"
	if os.Getenv(copied) != "" {
		go func() { select {} }()
		return
	}
	helper := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
	helper.Env = append(os.Environ(), copied+"=1")
	if output, err := helper.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}

// What os/signal keeps is nobody's leak.
func TestSignals(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
}
