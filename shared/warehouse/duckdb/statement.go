package duckdb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync/atomic"
)

// A statement is one SQL statement: its query id, and a count of the requests
// that it made, which gives each one an id of its own.
type statement struct {
	query string
	made  atomic.Int64
}

// next names the next request: <query id>:<n>. It stays the same on retries.
func (s *statement) next() string {
	return s.query + ":" + strconv.FormatInt(s.made.Add(1), 10)
}

// newStatement draws a fresh query id, in the shape of Snowflake's.
func newStatement() *statement {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	h := hex.EncodeToString(b[:])
	return &statement{query: h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]}
}

type statementKey struct{}

// begin marks a context as one statement's, so that the functions in it share a
// query id whatever threads they run in.
func begin(ctx context.Context) context.Context {
	return context.WithValue(ctx, statementKey{}, newStatement())
}

func statementOf(ctx context.Context) (*statement, bool) {
	s, ok := ctx.Value(statementKey{}).(*statement)
	return s, ok
}
