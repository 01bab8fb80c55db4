// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("dead_producer", deadProducer, deadProducerFixed)

// deadProducer reads rows in one goroutine and handles them in another. A reader that meets an error returns, and does not
// close what the other ranges over.
func deadProducer(l load) {
	l.each(func(n int) {
		rows := make(chan int)
		go func() { // leak-go
			for row := range rows { // leak: evidence=growing cause=range_never_closed
				use(row)
			}
		}()
		if err := readRows(rows, l.unlucky(n)); err != nil {
			return
		}
		close(rows)
	})
}

func deadProducerFixed(l load) {
	l.each(func(n int) {
		rows := make(chan int)
		defer close(rows)
		go func() {
			for row := range rows {
				use(row)
			}
		}()
		if err := readRows(rows, l.unlucky(n)); err != nil {
			return
		}
	})
}

func readRows(rows chan<- int, fails bool) error {
	for row := 0; row < 5; row++ {
		if fails && row == 3 {
			return errNoStock
		}
		rows <- row
	}
	return nil
}
