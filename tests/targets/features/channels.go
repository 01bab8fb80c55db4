// SPDX-License-Identifier: Apache-2.0

package main

import "time"

// unbuffered passes values from one to another. At each transfer whoever comes first parks, and the other does not.
func unbuffered(s *section) (int, error) {
	values := make(chan int)
	go s.counted(func() {
		for i := 0; i < transfers; i++ {
			values <- i
		}
	})()
	go s.counted(func() {
		sum := 0
		for i := 0; i < transfers; i++ {
			sum += <-values
		}
		s.expect("sum", sum, sumTo(transfers))
	})()
	return transfers, nil
}

// buffered lets two produce for two.
func buffered(s *section) (int, error) {
	const each = 2 * transfers
	values, sums := make(chan int, 4), make(chan int, 2)
	for k := 0; k < 2; k++ {
		go s.counted(func() {
			for i := 0; i < each; i++ {
				values <- i
			}
		})()
		go s.counted(func() {
			sum := 0
			for i := 0; i < each; i++ {
				sum += <-values
			}
			sums <- sum
		})()
	}
	s.expect("sum", <-sums+<-sums, 2*sumTo(each))
	return unknown, nil
}

// ranged ends a range loop while it waits.
func ranged(s *section) (int, error) {
	values, sent := make(chan int), make(chan struct{})
	go s.counted(func() {
		sum := 0
		for v := range values {
			sum += v
		}
		s.expect("sum", sum, sumTo(transfers))
	})()
	go s.counted(func() {
		for i := 0; i < transfers; i++ {
			values <- i
		}
		close(sent)
	})()
	<-sent
	if err := awaitParked(1, "main.ranged"); err != nil {
		return 0, err
	}
	close(values)
	return transfers + 1, nil
}

// closed wakes many at once.
func closed(s *section) (int, error) {
	gate := make(chan struct{})
	for i := 0; i < crowd; i++ {
		go s.counted(func() {
			_, open := <-gate
			if open {
				s.expect("values in the gate", 1, 0)
			}
		})()
	}
	if err := awaitParked(crowd, "main.closed"); err != nil {
		return 0, err
	}
	close(gate)
	return crowd, nil
}

// selected has select statements meet. At each transfer whoever comes first parks, and the other does not.
func selected(s *section) (int, error) {
	a, b, never := make(chan int), make(chan int), make(chan int)
	go s.counted(func() {
		for i := 0; i < transfers; i++ {
			select {
			case a <- i:
			case b <- i:
			case never <- i:
			}
		}
	})()
	go s.counted(func() {
		sum := 0
		for i := 0; i < transfers; i++ {
			select {
			case v := <-a:
				sum += v
			case v := <-b:
				sum += v
			}
		}
		s.expect("sum", sum, sumTo(transfers))
	})()
	return transfers, nil
}

// timedOut gives up a select statement.
func timedOut(s *section) (int, error) {
	never, other := make(chan int), make(chan int)
	for i := 0; i < crowd; i++ {
		go s.counted(func() {
			for k := 0; k < 3; k++ {
				timeout := time.NewTimer(100 * time.Microsecond)
				select {
				case <-never:
					s.expect("values from nobody", 1, 0)
				case other <- 1:
					s.expect("values to nobody", 1, 0)
				case <-timeout.C:
				}
			}
		})()
	}
	return unknown, nil
}
