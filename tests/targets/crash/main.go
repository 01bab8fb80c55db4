// SPDX-License-Identifier: Apache-2.0

// Crash is a program that ends badly, for tests that read what it leaves behind. The command says how:
//
//	panic   writes to a nil map, some calls deep
//	fault   reads through a nil pointer
//	asleep  locks what it has locked: all goroutines are asleep
//	spin    says "ready" and runs until a signal comes
package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

func main() {
	for i := 0; i < 3; i++ {
		go wait(make(chan int))
	}
	time.Sleep(50 * time.Millisecond) // until they do
	switch os.Args[1] {
	case "panic":
		fall(3)
	case "fault":
		follow(nil)
	case "asleep":
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	case "spin":
		fmt.Println("ready")
		n := 0
		spin(&n)
	}
}

func wait(c chan int) { <-c }

//go:noinline
func fall(depth int) int {
	if depth > 0 {
		return fall(depth-1) + 1
	}
	var nothing map[string]int
	nothing["x"] = 1
	return 0
}

//go:noinline
func follow(p *int) {
	fmt.Println(*p)
}

//go:noinline
func spin(n *int) {
	for {
		*n++
	}
}
