// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("full_buffer", fullBuffer, fullBufferFixed)

const auditRoom = 4

// fullBuffer writes an audit log of the unusual. Its writer ends at the first failure, the buffer fills, and then everybody who
// has something to say waits.
func fullBuffer(l load) {
	events := make(chan int, auditRoom)
	go func() {
		for event := range events {
			if event > 2*l.rare { // the disk is full
				return
			}
			use(event)
		}
	}()
	auditTheUnlucky(l, events)
}

func fullBufferFixed(l load) {
	events := make(chan int, auditRoom)
	go func() {
		failed := false
		for event := range events { // to the end, whatever becomes of it
			failed = failed || event > 2*l.rare
			if !failed {
				use(event)
			}
		}
	}()
	auditTheUnlucky(l, events)
}

func auditTheUnlucky(l load, events chan<- int) {
	l.each(func(n int) {
		use(ask(n))
		if l.unlucky(n) {
			go func() { // leak-go
				events <- n // leak: evidence=growing cause=send_buffer_full
			}()
		}
	})
}
