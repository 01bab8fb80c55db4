// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math/rand"
	"sync"
	"sync/atomic"
	"time"
)

const (
	keepers   = 4  // connections over which is asked at the rate
	burst     = 40 // that come at once
	perBurst  = 3  // questions of each of them
	perStay   = 6  // long visits of each sort at a time
	freshRate = 1  // new connections a second
)

// visitors are all clients of one server.
type visitors struct {
	kind    kind
	address string
	minute  time.Duration
	said    *tally
	number  atomic.Int64 // of those who have come
	asked   atomic.Int64 // by those who ask once
}

// busy returns when the context ends and all have gone.
func (v *visitors) busy(ctx context.Context, rate float64) {
	var all sync.WaitGroup
	start := func(run func(context.Context)) {
		all.Add(1)
		go func() {
			defer all.Done()
			run(ctx)
		}()
	}
	pause := time.Duration(keepers / rate * float64(time.Second))
	for i := 0; i < keepers; i++ {
		start(func(ctx context.Context) { v.keep(ctx, pause) })
	}
	start(func(ctx context.Context) { v.every(ctx, time.Second/freshRate, func() { v.once(ctx, 1) }) })
	start(func(ctx context.Context) { v.every(ctx, v.minute, func() { v.burst(ctx) }) })
	for name := range v.kind.stays {
		name := name
		for i := 0; i < perStay; i++ {
			start(func(ctx context.Context) { v.comeAndGo(ctx, name) })
		}
	}
	all.Wait()
}

// keep asks over one connection for as long as it holds, again and again.
func (v *visitors) keep(ctx context.Context, pause time.Duration) {
	for sleep(ctx, pause) {
		client, err := v.kind.connect(v.address, int(v.number.Add(1)))
		if err != nil {
			v.said.add("connect", err)
			continue
		}
		for n := 0; err == nil && sleep(ctx, pause); n++ {
			if !v.pausing() {
				err = v.ask(client, n)
			}
		}
		client.close()
	}
}

func (v *visitors) ask(client asker, n int) error {
	what, err := client.ask(n)
	v.said.add(what, err)
	return err
}

// pausing: two minutes of ten nobody wants anything.
func (v *visitors) pausing() bool {
	return time.Now().UnixNano()/int64(v.minute)%10 >= 8
}

func (v *visitors) every(ctx context.Context, period time.Duration, work func()) {
	for sleep(ctx, period) {
		if !v.pausing() {
			work()
		}
	}
}

// once connects anew for so many questions.
func (v *visitors) once(ctx context.Context, questions int) {
	client, err := v.kind.connect(v.address, int(v.number.Add(1)))
	if err != nil {
		v.said.add("connect", err)
		return
	}
	defer client.close()
	for i := 0; i < questions && err == nil && ctx.Err() == nil; i++ {
		err = v.ask(client, int(v.asked.Add(1)))
	}
}

func (v *visitors) burst(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for i := 0; i < burst; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			v.once(ctx, perBurst)
		}()
	}
}

// comeAndGo is one long visit after another, of a few seconds to two minutes each.
func (v *visitors) comeAndGo(ctx context.Context, name string) {
	for sleep(ctx, v.upTo(0.5)) {
		visit, leave := context.WithTimeout(ctx, v.minute/20+v.upTo(2))
		v.stay(visit, name)
		leave()
	}
}

// stay returns when the context ends or the server has broken the visit off, which counts as failed.
func (v *visitors) stay(ctx context.Context, name string) {
	err := v.kind.stays[name](ctx, v.address, int(v.number.Add(1)), func() { v.said.add(name, nil) })
	if err != nil && ctx.Err() == nil {
		v.said.add(name, err)
	}
}

// idle returns when the context ends and all have gone.
func (v *visitors) idle(ctx context.Context, count int, over time.Duration) {
	var all sync.WaitGroup
	defer all.Wait()
	for i := 0; i < count; i++ {
		if !sleep(ctx, over/time.Duration(count)) {
			return
		}
		name := v.kind.idle[i%len(v.kind.idle)]
		all.Add(1)
		go func() {
			defer all.Done()
			for ctx.Err() == nil {
				v.stay(ctx, name)
				sleep(ctx, v.upTo(0.05)) // whom the server turns away comes back
			}
		}()
	}
}

// upTo is any time up to so many minutes.
func (v *visitors) upTo(minutes float64) time.Duration {
	return time.Duration(rand.Float64() * minutes * float64(v.minute))
}

// sleep says whether the context is still good then.
func sleep(ctx context.Context, length time.Duration) bool {
	if length <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
