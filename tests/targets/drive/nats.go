// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"example.com/targets/internal/natsconn"
)

func connectNATS(address string, number, clients int) (func() error, error) {
	nats, err := natsconn.Dial(address, fmt.Sprintf("SUB bench.%d 1\r\n", number))
	if err != nil {
		return nil, err
	}
	return func() error {
		if err := nats.Send("PUB bench.%d 5\r\nhello\r\n", (number+1)%clients); err != nil {
			return err
		}
		return nats.Await("hello") // from the one before
	}, nil
}
