// SPDX-License-Identifier: Apache-2.0

package main

var _ = register("lost_reply", lostReply, lostReplyFixed)

type question struct {
	n      int
	broken bool
	reply  chan int
}

// lostReply asks one worker everything; a question that it can't read it skips, and with it the reply.
func lostReply(l load) {
	questions := make(chan question)
	go func() {
		for q := range questions {
			if q.broken {
				continue
			}
			q.reply <- ask(q.n)
		}
	}()
	askTheWorker(l, questions)
}

func lostReplyFixed(l load) {
	questions := make(chan question)
	go func() {
		for q := range questions {
			if !q.broken {
				q.reply <- ask(q.n)
			}
			close(q.reply)
		}
	}()
	askTheWorker(l, questions)
}

func askTheWorker(l load, questions chan<- question) {
	l.serve(func(n int) {
		q := question{n: n, broken: l.unlucky(n), reply: make(chan int, 1)}
		questions <- q
		use(<-q.reply) // leak: request evidence=growing cause=receive_never_satisfied
	})
}
