// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/url"
	"time"
)

var prometheus = web(func(int, int) []page {
	now := time.Now().Unix()
	query := func(text string) string { return "/api/v1/query?query=" + url.QueryEscape(text) }
	between := func(seconds int64, text string) string {
		return fmt.Sprintf("/api/v1/query_range?step=5&start=%d&end=%d&query=%s", now-seconds, now, url.QueryEscape(text))
	}
	return []page{
		{name: "query", path: query("up")},
		{name: "rate", path: query("sum by (job) (rate(go_memstats_alloc_bytes_total[1m]))")},
		{name: "range", path: between(300, "go_goroutines")},
		{name: "quantile", path: between(60, "histogram_quantile(0.9, sum by (le) (rate(prometheus_http_request_duration_seconds_bucket[1m])))")},
		{name: "series", path: "/api/v1/series?match[]=up"},
		{name: "labels", path: "/api/v1/label/job/values"},
		{name: "targets", path: "/api/v1/targets"},
		{name: "rules", path: "/api/v1/rules"},
		{name: "alerts", path: "/api/v1/alerts"},
		{name: "federate", path: "/federate?match[]=up"},
		{name: "metrics", path: "/metrics"},
	}
}, map[string]stay{"visit": rarely("/-/ready")}, "visit")
