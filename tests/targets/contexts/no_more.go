// SPDX-License-Identifier: Apache-2.0

//go:build !go1.21

package main

import "context"

func more(context.Context) {}
