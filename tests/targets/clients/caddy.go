// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Its own answers, files, and what tests/targets/upstream answers through it below /up.
var caddy = web(func(number, _ int) []page {
	return []page{
		{name: "respond", path: "/"},
		{name: "file", path: "/files/page.txt"},
		{name: "proxied", path: "/up/hello"},
		{name: "echo", path: "/up/echo", body: strings.Repeat(fmt.Sprintf("%d ", number), 100)},
		{name: "slow", path: "/up/slow"},
	}
}, map[string]stay{
	"events": streams(http.MethodGet, "/up/events", nothing),
	"quiet":  streams(http.MethodGet, "/up/quiet", nothing), // an event at the begin, and no more
	"poll":   polls("/up/poll"),
	"tunnel": tunnel,
	"visit":  rarely("/"),
}, "quiet", "events", "visit", "poll", "tunnel")

// tunnel has the connection taken over, and sends a line now and then, which comes back.
func tunnel(ctx context.Context, address string, number int, heard func()) error {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /up/tunnel HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n", address)
	lines := bufio.NewReader(conn)
	response, err := http.ReadResponse(lines, nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("a tunnel: %s", response.Status)
	}
	for {
		fmt.Fprintf(conn, "line of %d\n", number)
		if _, err := lines.ReadString('\n'); err != nil {
			return err
		}
		heard()
		if !sleep(ctx, 5*time.Second) {
			return nil
		}
	}
}
