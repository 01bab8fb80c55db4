// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package main

/*
#include <unistd.h>

extern int doubleInGo(int value);

static int addInC(int a, int b) { return a + b; }

static int sleepInC(int microseconds) {
	usleep(microseconds);
	return microseconds;
}

static int doubleTwice(int value) { return doubleInGo(doubleInGo(value)); }
*/
import "C"

func cgoSections() []*section { return []*section{{name: "main.calledC", run: calledC}} }

// calledC has goroutines call C, quick and slow functions, and C call back. Nobody parks.
func calledC(s *section) (int, error) {
	for i := 0; i < crowd/2; i++ {
		go s.counted(func() {
			for k := 0; k < 10; k++ {
				s.expect("sum", int(C.addInC(C.int(k), 1)), k+1)
				s.expect("microseconds", int(C.sleepInC(50)), 50)
				s.expect("product", int(C.doubleTwice(C.int(k))), 4*k)
			}
		})()
	}
	return 0, nil
}
