//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"
)

// Show runs one statement, or several, on one connection and under one fresh query
// id, and gives read the rows of the last. What Go has no equal of, JSON, nested
// values, dates, decimals and the like, comes as the text that DuckDB writes: the
// driver would read JSON into Go's maps, and round the long numbers in it. This
// holds for queries; what INSERT ... RETURNING returns comes as the driver reads it.
func (w *Warehouse) Show(ctx context.Context, query string, read func(*sql.Rows) error) error {
	ctx = begin(ctx)
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the warehouse: %w", err)
	}
	defer conn.Close()
	before, last := splitLast(query)
	if before != "" {
		if _, err := conn.ExecContext(ctx, before); err != nil {
			return err
		}
	}
	var statement string
	err = conn.Raw(func(c any) (err error) {
		statement, err = asText(ctx, c.(*duck.Conn), last)
		return err
	})
	if err != nil {
		return err
	}
	rows, err := conn.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	return errors.Join(read(rows), rows.Err())
}

// plain are the types that Go has an equal of.
var plain = map[duck.Type]bool{
	duck.TYPE_BOOLEAN: true, duck.TYPE_TINYINT: true, duck.TYPE_SMALLINT: true, duck.TYPE_INTEGER: true, duck.TYPE_BIGINT: true,
	duck.TYPE_UTINYINT: true, duck.TYPE_USMALLINT: true, duck.TYPE_UINTEGER: true, duck.TYPE_UBIGINT: true, duck.TYPE_HUGEINT: true,
	duck.TYPE_UHUGEINT: true, duck.TYPE_VARCHAR: true, duck.TYPE_TIMESTAMP: true, duck.TYPE_TIMESTAMP_S: true,
	duck.TYPE_TIMESTAMP_MS: true, duck.TYPE_TIMESTAMP_TZ: true, duck.TYPE_SQLNULL: true,
}

// asText is the statement with a cast of every column that is not plain. Preparing
// a statement binds it and runs nothing.
func asText(ctx context.Context, conn *duck.Conn, statement string) (string, error) {
	prepared, err := conn.PrepareContext(ctx, statement)
	if err != nil {
		return "", err
	}
	defer prepared.Close()
	s := prepared.(*duck.Stmt)
	if kind, err := s.StatementType(); err != nil || kind != duck.STATEMENT_TYPE_SELECT {
		return statement, err
	}
	n, err := s.ColumnCount()
	if err != nil {
		return "", err
	}
	columns, names, casts := make([]string, n), make([]string, n), 0
	for i := range n {
		kind, err := s.ColumnTypeInfo(i)
		if err != nil {
			return "", err
		}
		name, err := s.ColumnName(i)
		if err != nil {
			return "", err
		}
		names[i] = fmt.Sprintf("c%d", i) // the statement's own may be there twice
		columns[i] = names[i]
		if kind.Alias() != "" || !plain[kind.InternalType()] {
			columns[i] = "CAST(" + columns[i] + " AS VARCHAR)"
			casts++
		}
		columns[i] += ` AS "` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	if casts == 0 {
		return statement, nil
	}
	cast := "SELECT " + strings.Join(columns, ", ") + " FROM (" + statement + "\n) AS t(" + strings.Join(names, ", ") + ")"
	again, err := conn.PrepareContext(ctx, cast)
	if err != nil {
		return statement, nil // it cannot stand in another, as some pragmas cannot
	}
	return cast, again.Close()
}
