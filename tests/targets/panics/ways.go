// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

type failure struct {
	code int
	why  string
}

func (f *failure) Error() string { return fmt.Sprintf("failure %d: %s", f.code, f.why) }

type reason string
type code int32

var ways = map[string]func(){
	"string":   func() { handle(text) },
	"empty":    func() { handle(empty) },
	"error":    func() { handle(fails) },
	"wrapped":  func() { handle(wraps) },
	"custom":   func() { handle(custom) },
	"reason":   func() { handle(named) },
	"number":   func() { handle(number) },
	"code":     func() { handle(coded) },
	"float":    func() { handle(float) },
	"bool":     func() { handle(boolean) },
	"nil":      func() { handle(nothing) },
	"nilmap":   func() { handle(writeNilMap) },
	"index":    func() { handle(index) },
	"negative": func() { handle(negative) },
	"slice":    func() { handle(slice) },
	"pointer":  func() { handle(pointer) },
	"divide":   func() { handle(divide) },
	"type":     func() { handle(assertType) },
	"method":   func() { handle(assertMethod) },
	"closed":   func() { handle(sendClosed) },
	"inlined":  func() { handle(throughInlined) },
	"repanic":  func() { handle(repanic) },
	"replace":  func() { handle(replace) },
	"within":   func() { handle(within) },
	"goexit":   func() { aside(givesUp) },
	"looks":    func() { aside(looksAndGivesUp) },
	"leaves":   func() { aside(leaves) },
	"deep":     deep,
	"parallel": parallel,
}

// --- One panic, recovered ---------------------------------------------------------------------------------------------

//go:noinline
func text() {
	begin()
	panic("nothing works")
}

//go:noinline
func empty() {
	begin()
	panic("")
}

//go:noinline
func fails() {
	begin()
	panic(errors.New("no cart"))
}

//go:noinline
func wraps() {
	begin()
	panic(fmt.Errorf("serving: %w", errors.New("no shop")))
}

//go:noinline
func custom() {
	begin()
	panic(&failure{7, "only it knows"})
}

//go:noinline
func named() {
	begin()
	panic(reason("because \x1b[31mof\ncolours"))
}

//go:noinline
func number() {
	begin()
	panic(-42)
}

//go:noinline
func coded() {
	begin()
	panic(code(70000))
}

//go:noinline
func float() {
	begin()
	panic(2.5)
}

//go:noinline
func boolean() {
	begin()
	panic(true)
}

//go:noinline
func nothing() {
	begin()
	panic(nil)
}

var (
	noMap  map[string]int
	few    = []int{1, 2, 3}
	five   = 5
	minus  = -1
	zero   = 0
	noFew  *[100]int
	a      any = "a string"
	closed     = func() chan int { c := make(chan int, 1); close(c); return c }()
)

//go:noinline
func writeNilMap() {
	begin()
	noMap["x"] = 1
}

//go:noinline
func index() {
	begin()
	few[five]++
}

//go:noinline
func negative() {
	begin()
	few[minus]++
}

//go:noinline
func slice() {
	begin()
	few = few[five:]
}

//go:noinline
func pointer() {
	begin()
	zero = noFew[50]
}

//go:noinline
func divide() {
	begin()
	five = few[0] / zero
}

//go:noinline
func assertType() {
	begin()
	zero = a.(int)
}

//go:noinline
func assertMethod() {
	begin()
	_ = a.(fmt.Stringer).String()
}

//go:noinline
func sendClosed() {
	begin()
	closed <- 1
}

//go:noinline
func throughInlined() {
	must(false)
}

func must(ok bool) {
	if !ok {
		begin()
		panic("it must")
	}
}

// --- Several at once --------------------------------------------------------------------------------------------------

// repanic recovers, and panics with the same: only the second one is ended by recovering.
func repanic() {
	defer func() {
		value := recover()
		begin()
		panic(value)
	}()
	text()
}

// replace panics while it panics.
func replace() {
	defer func() {
		begin()
		panic("one more")
	}()
	text()
}

// within panics and recovers while it panics.
func within() {
	defer handle(number)
	text()
}

// aside runs f on a goroutine that it may end.
func aside(f func()) {
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		f()
	}()
	done.Wait()
}

// givesUp ends its goroutine instead of panicking any further.
func givesUp() {
	defer runtime.Goexit()
	text()
}

// looksAndGivesUp has recovered, but does not go on either.
func looksAndGivesUp() {
	defer func() {
		recover()
		runtime.Goexit()
	}()
	text()
}

// leaves panics and recovers while its goroutine ends.
func leaves() {
	defer handle(fails)
	runtime.Goexit()
}

// --- Stacks -----------------------------------------------------------------------------------------------------------

// deep panics at many depths of young stacks, at some of which gopanic itself must grow the stack.
func deep() {
	for depth := 0; depth < 400; depth++ {
		aside(func() { handle(func() { fall(depth) }) })
	}
}

//go:noinline
func fall(depth int) int {
	if depth == 0 {
		begin()
		panic("on the ground")
	}
	return fall(depth-1) + 1
}

func parallel() {
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for j := 0; j < 25; j++ {
				handle(fails)
			}
		}()
	}
	all.Wait()
}
