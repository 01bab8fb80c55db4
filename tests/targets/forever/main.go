// SPDX-License-Identifier: Apache-2.0

// Forever leaks goroutines that nothing can ever wake: they wait on a nil channel and in an empty select. Beside them two
// of the kind that is meant to stay: main in an empty select, and one that waits for the end of context.Background(),
// which is a receive from a nil channel, too.
package main

import (
	"context"
	"flag"
	"fmt"
	"time"
)

func main() {
	every := flag.Duration("every", 200*time.Millisecond, "leak one of each kind so often")
	most := flag.Int("max", 5000, "leak no more than so many of each kind")
	flag.Parse()

	go serve(context.Background())
	go leak(*every, *most)
	fmt.Println("ready")
	select {}
}

// serve runs for as long as its context lets it.
func serve(ctx context.Context) {
	<-ctx.Done()
}

func leak(every time.Duration, most int) {
	for leaked := 0; ; time.Sleep(every) {
		if leaked < most {
			leaked++
			go receiveNil()
			go sendNil()
			go selectNothing()
		}
	}
}

func receiveNil() {
	var results chan int
	<-results
}

func sendNil() {
	var results chan int
	results <- 1
}

func selectNothing() {
	select {}
}
