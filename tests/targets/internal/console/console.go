// SPDX-License-Identifier: Apache-2.0

// Package console lets a test drive a program: it writes one line to the program's standard input, a command with its
// arguments, and reads one line back, "ok", "ok RESULT" or "error TEXT".
package console

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
)

// A Command gets the words after its name and returns what to answer after "ok".
type Command func(args []string) (string, error)

// Serve says that the program is ready, then obeys until "quit" or the end of input. Beside the given commands it knows
//
//	stack FILE    writes all goroutines to FILE, as the profile of debug=2 shows them
//	profile FILE  writes the goroutine profile to FILE, in the format of go tool pprof
//	numgoroutine  answers what the runtime counts
//
// Between commands the calling goroutine sits in the read system call and the program does nothing.
func Serve(commands map[string]Command) {
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		if len(words) == 0 {
			continue
		}
		if words[0] == "quit" {
			fmt.Println("ok")
			return
		}
		result, err := run(commands, words[0], words[1:])
		switch {
		case err != nil:
			fmt.Println("error", err)
		case result == "":
			fmt.Println("ok")
		default:
			fmt.Println("ok", result)
		}
	}
}

func run(commands map[string]Command, name string, args []string) (string, error) {
	if command, ok := commands[name]; ok {
		return command(args)
	}
	switch name {
	case "stack":
		return "", writeGoroutines(args, 2)
	case "profile":
		return "", writeGoroutines(args, 0)
	case "numgoroutine":
		return strconv.Itoa(runtime.NumGoroutine()), nil
	}
	return "", fmt.Errorf("unknown command %q", name)
}

func writeGoroutines(args []string, debug int) error {
	if len(args) != 1 {
		return errors.New("expected one file")
	}
	file, err := os.Create(args[0])
	if err != nil {
		return err
	}
	err = pprof.Lookup("goroutine").WriteTo(file, debug)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// Count reads the one argument of a command that takes a number.
func Count(args []string) (int, error) {
	if len(args) != 1 {
		return 0, errors.New("expected one number")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a number of things", args[0])
	}
	return n, nil
}
