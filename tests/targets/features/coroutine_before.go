// SPDX-License-Identifier: Apache-2.0

//go:build !go1.23

package main

// coroutineSections is empty: this Go has none.
func coroutineSections() []*section { return nil }
