// SPDX-License-Identifier: Apache-2.0

// Features makes use of everything in Go that starts, ends, parks and wakes goroutines, checks that the work came out
// right, and keeps exact count, for tests that compare. Its commands:
//
//	features N [SECTION…]  goes N times through all sections, or through those; answers N when all their goroutines
//	                       have ended, for the runtime too; an error if any result was wrong
//	totals                 answers SECTION STARTED ENDED PARKS of each section, where SECTION is the function that
//	                       starts the goroutines, and PARKS is -1 where chance decides how often they park
//
// and those of package console. PARKS is exact while no garbage collection runs but those that section main.collected
// asks for: with GOGC=off in the environment.
package main

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"example.com/targets/internal/console"
)

var sections = append(append([]*section{
	{name: "main.unbuffered", run: unbuffered},
	{name: "main.buffered", run: buffered},
	{name: "main.ranged", run: ranged},
	{name: "main.closed", run: closed},
	{name: "main.selected", run: selected},
	{name: "main.timedOut", run: timedOut},
	{name: "main.locked", run: locked},
	{name: "main.sharedLocked", run: sharedLocked},
	{name: "main.contended", run: contended},
	{name: "main.signalled", run: signalled},
	{name: "main.queued", run: queued},
	{name: "main.waited", run: waited},
	{name: "main.slept", run: slept},
	{name: "main.timed", run: timed},
	{name: "time.goFunc", run: fired},
	{name: "main.connected", run: connected},
	{name: "main.piped", run: piped},
	{name: "main.calledSystem", run: calledSystem},
	{name: "main.yielded", run: yielded},
	{name: "main.pinned", run: pinned},
	{name: "main.panicked", run: panicked},
	{name: "main.grown", run: grown},
	{name: "main.collected", run: collected},
}, coroutineSections()...), cgoSections()...)

func main() {
	console.Serve(map[string]console.Command{
		"features": features,
		"totals":   totals,
	})
}

func features(args []string) (string, error) {
	if len(args) == 0 {
		return "", errors.New("expected a number, and perhaps sections")
	}
	n, err := console.Count(args[:1])
	if err != nil {
		return "", err
	}
	chosen := sections
	if len(args) > 1 {
		if chosen, err = named(args[1:]); err != nil {
			return "", err
		}
	}
	for i := 0; i < n; i++ {
		for _, s := range chosen {
			if err := s.goThrough(); err != nil {
				return "", fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	settle()
	return strconv.Itoa(n), nil
}

func named(names []string) ([]*section, error) {
	var found []*section
	for _, name := range names {
		before := len(found)
		for _, s := range sections {
			if s.name == name {
				found = append(found, s)
			}
		}
		if len(found) == before {
			return nil, fmt.Errorf("no section %q", name)
		}
	}
	return found, nil
}

// settle returns when every goroutine but main has ended, for the runtime too.
func settle() {
	for runtime.NumGoroutine() != 1 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
}

func totals([]string) (string, error) {
	var words []string
	for _, s := range sections {
		words = append(words, fmt.Sprint(s.name, " ", s.started.Load(), " ", s.ended.Load(), " ", s.parks.Load()))
	}
	return strings.Join(words, " "), nil
}
