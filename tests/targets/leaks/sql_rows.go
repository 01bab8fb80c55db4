// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
)

var _ = register("sql_rows", sqlRows, sqlRowsFixed)

// sqlRows looks at the first row only, and returns without closing the rest. The connection is not given back either.
// leak: created=database/sql.(?Rows).initContextClose blocked=database/sql.(?Rows).awaitDone evidence=growing cause=sql_rows_not_closed
func sqlRows(l load) {
	db := openDatabase()
	queryEach(l, db, func(rows *sql.Rows, n int) {
		if rows.Next() && l.unlucky(n) {
			return
		}
		_ = rows.Close()
	})
}

func sqlRowsFixed(l load) {
	db := openDatabase()
	queryEach(l, db, func(rows *sql.Rows, n int) {
		defer rows.Close()
		if rows.Next() && l.unlucky(n) {
			return
		}
		use(n)
	})
}

func queryEach(l load, db *sql.DB, read func(*sql.Rows, int)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.serve(func(n int) {
		rows, err := db.QueryContext(ctx, "select n from numbers")
		if err != nil {
			panic(err)
		}
		read(rows, n)
	})
}
