// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("nil_channel", nilChannel, nilChannelFixed)

type upload struct {
	size     int
	finished chan struct{}
}

// nilChannel starts a goroutine that cleans up after an upload. Small uploads are made without the channel that it waits on.
func nilChannel(l load) {
	l.serve(func(n int) {
		u := &upload{size: n}
		if !l.unlucky(n) {
			u.finished = make(chan struct{})
		}
		go func() { // leak-go
			<-u.finished // leak: evidence=forever cause=nil_channel
			use(-u.size)
		}()
		use(u.size)
		if u.finished != nil {
			close(u.finished)
		}
	})
}

func nilChannelFixed(l load) {
	l.serve(func(n int) {
		u := &upload{size: n, finished: make(chan struct{})}
		go func() {
			<-u.finished
			use(-u.size)
		}()
		use(u.size)
		close(u.finished)
	})
}
