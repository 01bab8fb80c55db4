// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"
)

var alertmanager = web(func(number, round int) []page {
	now := time.Now().UTC()
	name := fmt.Sprintf("Alert%d", (number+round)%20)
	return []page{
		{name: "alert", path: "/api/v2/alerts", body: fmt.Sprintf(`[{"labels":{"alertname":"%s","instance":"%d"},"endsAt":"%s"}]`,
			name, number%5, now.Add(20*time.Second).Format(time.RFC3339))},
		{name: "alerts", path: "/api/v2/alerts"},
		{name: "groups", path: "/api/v2/alerts/groups"},
		{name: "silence", path: "/api/v2/silences", body: fmt.Sprintf(
			`{"matchers":[{"name":"alertname","value":"%s","isRegex":false}],"startsAt":"%s","endsAt":"%s","createdBy":"me","comment":"now"}`,
			name, now.Add(time.Second).Format(time.RFC3339), now.Add(10*time.Second).Format(time.RFC3339))},
		{name: "silences", path: "/api/v2/silences"},
		{name: "status", path: "/api/v2/status"},
		{name: "metrics", path: "/metrics"},
	}
}, map[string]stay{"visit": rarely("/-/ready")}, "visit")
