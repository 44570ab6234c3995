//go:build cgo

package duckdb

import (
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// A gateway is a server that notes every request and answers as the test says.
type gateway struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	refuse func(n int, w http.ResponseWriter) bool // n from 1: answers in place of the gateway when true
	answer func() string                           // JSON; the row itself when nil
	sum    func(body []byte) string                // Content-MD5; right when nil
}

type call struct {
	path, body string
	header     http.Header
	rows       int
}

// An echo is a row that came: its last argument is the answer.
type echo struct {
	number int
	last   jsontext.Value
	fault  *row.Fault
}

func newGateway(t *testing.T) *gateway {
	g := &gateway{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := g.serve(w, r); err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// readBody undoes the compression that the header names.
func readBody(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") == "" {
		return io.ReadAll(r.Body)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, fmt.Errorf("the body is not gzip: %w", err)
	}
	return io.ReadAll(z)
}

func (g *gateway) serve(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	if _, err := snowflake.Decode(wire.Request{Method: r.Method, Path: r.URL.Path, Header: r.Header.Get, Body: body}); err != nil {
		return err
	}
	var rows []echo
	table := wire.Table{Key: "data", Numbered: true, Row: func(number int, args []jsontext.Value, fault *row.Fault) {
		one := echo{number: number, fault: fault}
		if len(args) > 0 {
			one.last = args[len(args)-1]
		}
		rows = append(rows, one)
	}}
	if err := table.Read(wire.Scan(body)); err != nil {
		return err
	}
	g.mu.Lock()
	g.calls = append(g.calls, call{r.Method + " " + r.URL.Path, string(body), r.Header.Clone(), len(rows)})
	n := len(g.calls)
	g.mu.Unlock()
	if g.refuse != nil && g.refuse(n, w) {
		return nil
	}
	var b strings.Builder
	b.WriteString(`{"data":[`)
	for i, r := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		v := string(r.last)
		if r.fault != nil {
			v = `"fault: ` + r.fault.Rule + `"`
		} else if g.answer != nil {
			v = g.answer()
		}
		fmt.Fprintf(&b, "[%d,%s]", r.number, v)
	}
	b.WriteString(`]}`)
	sum := md5.Sum([]byte(b.String()))
	w.Header().Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
	if g.sum != nil {
		w.Header().Set("Content-MD5", g.sum([]byte(b.String())))
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// open opens a warehouse in memory on a clock that moves only by waiting.
func open(t *testing.T, g *gateway, change ...func(*Config)) (*Warehouse, *clock) {
	t.Helper()
	c := &clock{at: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)}
	cfg := Config{Threads: 2, Sleep: c.sleep, Now: c.now}
	if g != nil {
		cfg.Gateway, cfg.HTTP = g.URL+"/", g.Client()
	}
	for _, f := range change {
		f(&cfg)
	}
	w, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, c
}

type clock struct {
	mu    sync.Mutex
	at    time.Time
	slept []time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) sleep(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.slept = c.at.Add(d), append(c.slept, d)
	return nil
}

// column runs a query of one text column; NULL reads as <NULL>.
func column(t *testing.T, w *Warehouse, query string, args ...any) ([]string, error) {
	t.Helper()
	rows, err := w.Query(t.Context(), query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s *string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		if s == nil {
			out = append(out, "<NULL>")
		} else {
			out = append(out, *s)
		}
	}
	return out, rows.Err()
}
