package cli

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A runner runs statements one after the other, and after each waits for the rows that
// it pushed.
type runner struct {
	s       program
	g       *gate
	session *duckdb.Session
	did     *touched
	format  format
}

// script runs all statements and prints each result. It stops at the first fault; rows
// that did not arrive stop nothing, and are told at the end.
func (r *runner) script(ctx context.Context, in script) error {
	pieces, _ := duckdb.Split(in.text)
	var rows error
	for _, p := range pieces {
		err := r.statement(ctx, p.Text)
		var left rowsError
		switch {
		case errors.As(err, &left):
			rows = err
		case err != nil:
			return in.placed(p.Offset, err)
		}
	}
	return rows
}

// statement runs one, prints its result, and says what became of its rows.
func (r *runner) statement(ctx context.Context, text string) error {
	done := r.watch()
	defer done()
	r.did.takeNowhere() // of a statement before that failed
	if err := r.session.Read(ctx, text, r.format == asJSON, func(columns []duckdb.Column, rows *sql.Rows) error {
		return printResult(r.s.out, r.format, columns, rows)
	}); err != nil {
		return err
	}
	done()
	err := r.settle(ctx)
	if nowhere := r.nowhere(); err == nil {
		return nowhere
	}
	return err
}

// nowhere says how many rows of a statement no run took.
func (r *runner) nowhere() error {
	n, why := r.did.takeNowhere()
	if n == 0 {
		return nil
	}
	fmt.Fprintln(r.s.err, wrapped("", fmt.Sprintf("%s rejected, and in no run: %s", english.Plural(n, "row was", "rows were"), why)))
	return rowsError{errors.New("some rows name no sync or run that takes them")}
}

// settle waits for the runs of a statement, and says what became of their rows.
func (r *runner) settle(ctx context.Context) error {
	ids := r.did.take()
	if len(ids) == 0 {
		return nil
	}
	fates, err := r.g.settle(ctx, r.s, ids, nil)
	if err != nil {
		return err
	}
	pushed := fates[:0]
	for _, f := range fates {
		if !f.ownFinish() {
			pushed = append(pushed, f)
		}
	}
	return r.g.tell(r.s, pushed)
}

// watch shows, on a terminal, how many rows a statement has pushed so far; done ends it.
func (r *runner) watch() (done func()) {
	if !terminal(r.s.err) || r.format != asTable {
		return func() {}
	}
	b := &bar{}
	began := r.s.clock.now()
	var one sync.Mutex
	r.did.watch(func(n int) {
		one.Lock()
		defer one.Unlock()
		if b.tracker == nil && r.s.clock.now().Sub(began) > time.Second {
			b = newBar(r.s.err, "rows pushed")
		}
		b.at(int64(n), int64(n)+1)
	})
	return func() {
		r.did.watch(nil)
		one.Lock()
		defer one.Unlock()
		b.whole()
		b.done()
		b = &bar{}
	}
}
