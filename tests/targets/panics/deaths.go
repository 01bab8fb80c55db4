// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
)

func die(args []string) (string, error) {
	switch args[0] {
	case "error":
		fallsOnItsFace()
	case "custom":
		custom()
	case "string":
		text()
	case "long":
		panic(string(make([]byte, 100)) + fmt.Sprintf("%0300d", 7))
	case "pointer":
		pointer()
	case "elsewhere":
		go fallsOnItsFace()
		select {}
	case "again":
		replace()
	case "recovered":
		handle(text)
		fallsOnItsFace()
	case "map":
		writeAtOnce()
	case "unlock":
		var mu sync.Mutex
		mu.Unlock()
	case "overflow":
		debug.SetMaxStack(1 << 20)
		bottomless(1)
	case "asleep":
		select {}
	case "exit":
		os.Exit(3)
	case "hog":
		hog()
	}
	return "", fmt.Errorf("does not die of %s", args[0])
}

//go:noinline
func fallsOnItsFace() {
	panic(fmt.Errorf("at last: %w", errors.New("nobody recovers")))
}

func writeAtOnce() {
	m := map[int]int{}
	for i := 0; i < 8; i++ {
		go func() {
			for {
				m[1]++
			}
		}()
	}
	select {}
}

//go:noinline
func bottomless(n int) int { return bottomless(n+1) + 1 }

var held [][]byte

func hog() {
	for {
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = 1
		}
		held = append(held, block)
	}
}
