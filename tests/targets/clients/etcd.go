// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
)

// By its JSON gateway, where bytes are text in base64.
var etcd = web(etcdPages, map[string]stay{
	"watch": watch("live/", "live0"),
	"quiet": watch("quiet/", "quiet0"), // where nothing ever happens
	"visit": rarely("/version"),
}, "quiet", "watch", "quiet", "visit")

func watch(from, to string) stay {
	return streams(http.MethodPost, "/v3/watch", func(int) string {
		return fmt.Sprintf(`{"create_request":{"key":"%s","range_end":"%s"}}`, b64(from), b64(to))
	})
}

func etcdPages(number, round int) []page {
	live, mine := b64(fmt.Sprintf("live/%d", number%8)), b64(fmt.Sprintf("own/%d", number%200))
	value := b64(fmt.Sprintf("value %d", round))
	put := func(key, lease string) string {
		return fmt.Sprintf(`{"key":"%s","value":"%s","lease":"%s"}`, key, value, lease)
	}
	return []page{
		{name: "put", path: "/v3/kv/put", body: put(mine, "0")},
		{name: "range", path: "/v3/kv/range", body: fmt.Sprintf(`{"key":"%s"}`, mine)},
		{name: "list", path: "/v3/kv/range", body: fmt.Sprintf(`{"key":"%s","range_end":"%s","limit":"50"}`, b64("own/"), b64("own0"))},
		{name: "txn", path: "/v3/kv/txn", body: fmt.Sprintf(
			`{"compare":[{"key":"%s","target":"CREATE","createRevision":"0"}],"success":[{"requestPut":%s}],"failure":[{"requestRange":{"key":"%s"}}]}`,
			mine, put(mine, "0"), mine)},
		{name: "lease", path: "/v3/lease/grant", body: `{"TTL":"20"}`, then: func(answer []byte) (page, error) {
			var granted struct{ ID string }
			err := json.Unmarshal(answer, &granted)
			return page{path: "/v3/kv/put", body: put(live, granted.ID)}, err
		}},
		{name: "lock", path: "/v3/lock/lock", body: fmt.Sprintf(`{"name":"%s"}`, b64(fmt.Sprintf("lock/%d", number%5))),
			then: func(answer []byte) (page, error) {
				var locked struct{ Key string }
				err := json.Unmarshal(answer, &locked)
				return page{path: "/v3/lock/unlock", body: fmt.Sprintf(`{"key":"%s"}`, locked.Key)}, err
			}},
		{name: "delete", path: "/v3/kv/deleterange", body: fmt.Sprintf(`{"key":"%s"}`, mine)},
		{name: "metrics", path: "/metrics"},
	}
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
