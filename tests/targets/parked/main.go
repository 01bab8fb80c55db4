// SPDX-License-Identifier: Apache-2.0

// Parked holds as many blocked goroutines as it is told, and measures what work beside them feels of whoever looks at the
// goroutines. It starts with N of them and takes, beside those of package console, the commands
//
//	park N              starts more until N are parked
//	watch               begins a window, in which a pair of goroutines makes round trips as fast as it can
//	report              ends it: "late_us N ops N seconds S": by how much the prober woke too late at worst, and how many
//	                    round trips were made
//	profile NAME DEBUG  writes that profile of its own to nowhere: "ms N bytes N"; an error when this Go has none
package main

import (
	"fmt"
	"os"
	"runtime/pprof"
	"strconv"
	"time"

	"example.com/targets/internal/console"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: parked N")
		os.Exit(2)
	}
	var cages cages
	if _, err := cages.park(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "parked:", err)
		os.Exit(2)
	}
	work := startWork()
	console.Serve(map[string]console.Command{
		"park":    cages.park,
		"watch":   work.watch,
		"report":  work.report,
		"profile": profile,
	})
}

func profile(args []string) (string, error) {
	if len(args) != 2 {
		return "", fmt.Errorf("usage: profile NAME DEBUG")
	}
	debug, err := strconv.Atoi(args[1])
	if err != nil {
		return "", fmt.Errorf("%q is not a number", args[1])
	}
	found := pprof.Lookup(args[0])
	if found == nil {
		return "", fmt.Errorf("this Go has no profile %q", args[0])
	}
	var size counter
	began := time.Now()
	if err := found.WriteTo(&size, debug); err != nil {
		return "", err
	}
	return fmt.Sprintf("ms %.1f bytes %d", time.Since(began).Seconds()*1000, size), nil
}

// counter is a writer that only counts.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
