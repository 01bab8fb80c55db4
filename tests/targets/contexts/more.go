// SPDX-License-Identifier: Apache-2.0

//go:build go1.21

package main

import "context"

func more(cancelled context.Context) {
	go withoutCancel(context.WithoutCancel(cancelled))
	afterFunc, stop := context.WithCancel(cancelled)
	defer stop()
	context.AfterFunc(afterFunc, func() { use(1) })
	go withAfterFunc(afterFunc)
}

func withoutCancel(ctx context.Context) {
	<-never
	use(ctx)
}

func withAfterFunc(ctx context.Context) {
	<-never // ended: cancelled
	use(ctx)
}
