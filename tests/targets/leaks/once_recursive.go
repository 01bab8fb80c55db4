// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

var _ = register("once_recursive", onceRecursive, onceRecursiveFixed)

type settingsFile struct {
	once  sync.Once
	value int
}

// onceRecursive reads a file on first use, and while it does so asks that very file for a default.
func onceRecursive(l load) {
	l.serve(func(n int) {
		f := &settingsFile{}
		use(f.get(n, l.unlucky(n)))
	})
}

func (f *settingsFile) get(n int, needsDefault bool) int {
	f.once.Do(func() { // leak: request evidence=growing|deadlock cause=mutex_never_released|double_lock
		f.value = ask(n)
		if needsDefault {
			f.value += f.get(n, false)
		}
	})
	return f.value
}

func onceRecursiveFixed(l load) {
	l.serve(func(n int) {
		f := &settingsFile{}
		f.once.Do(func() {
			f.value = ask(n)
			if l.unlucky(n) {
				f.value += defaultValue
			}
		})
		use(f.value)
	})
}

const defaultValue = 7
