// SPDX-License-Identifier: Apache-2.0

package main

import "context"

var _ = register("sql_transaction", sqlTransaction, sqlTransactionFixed)

// sqlTransaction returns on an error without Rollback.
// leak: created=database/sql.(?DB).beginDC blocked=database/sql.(?Tx).awaitDone evidence=growing cause=sql_transaction_not_ended
func sqlTransaction(l load) {
	db := openDatabase()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.serve(func(n int) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			panic(err)
		}
		if l.unlucky(n) {
			return
		}
		_ = tx.Commit()
	})
}

func sqlTransactionFixed(l load) {
	db := openDatabase()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.serve(func(n int) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			panic(err)
		}
		defer tx.Rollback()
		if l.unlucky(n) {
			return
		}
		_ = tx.Commit()
	})
}
