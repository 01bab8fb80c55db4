// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync/atomic"
	"time"
)

// slept sleeps: one park each time.
func slept(s *section) (int, error) {
	const times = 3
	for i := 0; i < crowd; i++ {
		length := time.Duration(1+i*20) * time.Microsecond
		go s.counted(func() {
			before := time.Now()
			for k := 0; k < times; k++ {
				time.Sleep(length)
			}
			if time.Since(before) < times*length {
				s.expect("sleeps that were too short", 1, 0)
			}
		})()
	}
	return crowd * times, nil
}

// timed receives from timers and tickers, stopped and reset ones too.
func timed(s *section) (int, error) {
	go s.counted(func() {
		ticker := time.NewTicker(50 * time.Microsecond)
		defer ticker.Stop()
		for i := 0; i < 10; i++ {
			<-ticker.C
		}
		ticker.Reset(20 * time.Microsecond)
		<-ticker.C
	})()
	for i := 0; i < crowd/2; i++ {
		go s.counted(func() {
			timer := time.NewTimer(time.Hour)
			if !timer.Stop() {
				s.expect("timers that fired an hour early", 1, 0)
			}
			for k := 0; k < 5; k++ {
				timer.Reset(time.Duration(k*30) * time.Microsecond)
				<-timer.C
			}
			<-time.After(10 * time.Microsecond)
		})()
	}
	return unknown, nil
}

// fired has timers start goroutines. Half of them park, once.
func fired(s *section) (int, error) {
	var ran atomic.Int64
	gate := make(chan struct{})
	for i := 0; i < crowd; i++ {
		delay := time.Duration(i*20) * time.Microsecond
		time.AfterFunc(delay, s.counted(func() { ran.Add(1) }))
		time.AfterFunc(delay, s.counted(func() {
			<-gate
			ran.Add(1)
		}))
		if !time.AfterFunc(time.Hour, func() { ran.Add(1) }).Stop() {
			s.expect("timers that fired an hour early", 1, 0)
		}
	}
	if err := awaitParked(crowd, "main.fired"); err != nil {
		return 0, err
	}
	close(gate)
	s.alive.Wait()
	s.expect("functions that ran", int(ran.Load()), 2*crowd)
	return crowd, nil
}
