// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package main

import "C"
import "runtime"

// doubleInGo is what C calls.
//
//export doubleInGo
func doubleInGo(value C.int) C.int {
	runtime.Gosched()
	return 2 * value
}
