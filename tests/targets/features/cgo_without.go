// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package main

// cgoSections is empty: this program is built without cgo.
func cgoSections() []*section { return nil }
