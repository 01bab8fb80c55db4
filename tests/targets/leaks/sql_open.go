// SPDX-License-Identifier: Apache-2.0

package main

import "database/sql"

var _ = register("sql_open", sqlOpen, sqlOpenFixed)

// sqlOpen opens the database for some requests anew. What it opens is a pool with a goroutine of its own, which stays.
// leak: created=database/sql.OpenDB blocked=database/sql.(?DB).connectionOpener evidence=growing cause=sql_db_not_closed
func sqlOpen(l load) {
	db := openDatabase()
	l.serve(func(n int) {
		mine := db
		if l.unlucky(n) {
			mine = openDatabase()
		}
		ping(mine)
	})
}

func sqlOpenFixed(l load) {
	db := openDatabase()
	l.serve(func(n int) {
		mine := db
		if l.unlucky(n) {
			mine = openDatabase()
			defer mine.Close()
		}
		ping(mine)
	})
}

func ping(db *sql.DB) {
	if err := db.Ping(); err != nil {
		panic(err)
	}
}
