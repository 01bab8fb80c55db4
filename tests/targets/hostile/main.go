// SPDX-License-Identifier: Apache-2.0

// Hostile is a program whose goroutine table lies: goleakd reads what such a program shows it, as a privileged process.
// It replaces runtime.allgs by what the command names and goes on living. For Go 1.22, whose linker allows that.
//
//	huge    a length of 2^60
//	cycle   a million times the same goroutine
//	wild    pointers to everywhere
//	shrink  a table whose second half is no longer mapped
//	hang    a table on memory that never answers (userfaultfd): whoever reads it waits
package main

import (
	"fmt"
	"runtime/debug"
	"syscall"
	"unsafe"

	"example.com/targets/internal/console"
)

//go:linkname allgs runtime.allgs
var allgs []unsafe.Pointer

type header struct {
	data     uintptr
	len, cap uint64
}

var kept [][]unsafe.Pointer // what allgs has pointed at

func replace(data uintptr, length uint64) {
	*(*header)(unsafe.Pointer(&allgs)) = header{data, length, length}
}

func table(length int, entry func(i int) unsafe.Pointer) uintptr {
	fresh := make([]unsafe.Pointer, length)
	for i := range fresh {
		fresh[i] = entry(i)
	}
	kept = append(kept, fresh)
	return uintptr(unsafe.Pointer(&fresh[0]))
}

func mapped(length int) uintptr {
	data, _, errno := syscall.Syscall6(syscall.SYS_MMAP, 0, uintptr(length), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON, ^uintptr(0), 0)
	if errno != 0 {
		panic(errno)
	}
	return data
}

// Registers a range with a userfaultfd that nobody serves (include/uapi/linux/userfaultfd.h).
func unanswered(data uintptr, length int) error {
	const sysUserfaultfd, ioctlAPI, ioctlRegister, modeMissing = 323, 0xc018aa3f, 0xc020aa00, 1
	fd, _, errno := syscall.Syscall(sysUserfaultfd, syscall.O_CLOEXEC, 0, 0)
	if errno != 0 {
		return errno
	}
	api := [3]uint64{0xaa, 0, 0}
	if _, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, ioctlAPI, uintptr(unsafe.Pointer(&api))); errno != 0 {
		return errno
	}
	register := [4]uint64{uint64(data), uint64(length), modeMissing, 0}
	_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, ioctlRegister, uintptr(unsafe.Pointer(&register)))
	if errno != 0 {
		return errno
	}
	return nil
}

func lie(how string) error {
	const page = 4096
	self := allgs[0]
	switch how {
	case "huge":
		replace(uintptr(unsafe.Pointer(&allgs[0])), 1<<60)
	case "cycle":
		replace(table(1_000_000, func(int) unsafe.Pointer { return self }), 1_000_000)
	case "wild":
		replace(table(10_000, func(i int) unsafe.Pointer {
			return unsafe.Pointer(uintptr(0x1000) + uintptr(i)*0x1_0000_0008)
		}), 10_000)
	case "shrink":
		data := mapped(2 * page)
		for at := uintptr(0); at < 2*page; at += 8 {
			*(*unsafe.Pointer)(unsafe.Pointer(data + at)) = self
		}
		if _, _, errno := syscall.Syscall(syscall.SYS_MUNMAP, data+page, page, 0); errno != 0 {
			return errno
		}
		replace(data, 2*page/8)
	case "hang":
		data := mapped(page)
		if err := unanswered(data, page); err != nil {
			return err
		}
		replace(data, page/8)
	default:
		return fmt.Errorf("no way of lying is called %q", how)
	}
	return nil
}

func main() {
	debug.SetGCPercent(-1) // a collection would read the table
	console.Serve(map[string]console.Command{
		"lie": func(args []string) (string, error) { return "", lie(args[0]) },
	})
}
