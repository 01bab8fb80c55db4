// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
)

func openDatabase() *sql.DB { return sql.OpenDB(numbersConnector{}) }

// The driver of a database that has one table, numbers, with three rows.
type (
	numbersConnector  struct{}
	numbersDriver     struct{}
	numbersConnection struct{}
	numbersRows       struct{ next int64 }
)

func (numbersConnector) Connect(context.Context) (driver.Conn, error) {
	return numbersConnection{}, nil
}
func (numbersConnector) Driver() driver.Driver         { return numbersDriver{} }
func (numbersDriver) Open(string) (driver.Conn, error) { return numbersConnection{}, nil }

func (numbersConnection) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not needed") }
func (numbersConnection) Close() error                        { return nil }
func (numbersConnection) Begin() (driver.Tx, error)           { return numbersConnection{}, nil }
func (numbersConnection) Commit() error                       { return nil }
func (numbersConnection) Rollback() error                     { return nil }

func (numbersConnection) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &numbersRows{}, nil
}

func (r *numbersRows) Columns() []string { return []string{"n"} }
func (r *numbersRows) Close() error      { return nil }

func (r *numbersRows) Next(values []driver.Value) error {
	if r.next++; r.next > 3 {
		return io.EOF
	}
	values[0] = r.next
	return nil
}
