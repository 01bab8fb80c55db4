// SPDX-License-Identifier: Apache-2.0

// Package loopback keeps what makes load to this machine.
package loopback

import (
	"fmt"
	"net"
)

// Check refuses every address, HOST:PORT, that is not a loopback address of this machine.
func Check(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%s: not a loopback address of this machine", address)
	}
	return nil
}
