// SPDX-License-Identifier: Apache-2.0

//go:build !go1.23

package main

// startCoroutine does nothing: this Go has none.
func startCoroutine() {}
