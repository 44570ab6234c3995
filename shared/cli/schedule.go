package cli

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"sync/atomic"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A dueRunner runs due syncs in the folder's DuckDB file, which is open only meanwhile:
// so that penstock sql can have it in between.
type dueRunner struct {
	path  string
	from  modelled // whose folder of definitions is read at each due time, as penstock run does
	token string
	place *place      // whose gateway is called; set before anything is due
	ready atomic.Bool // the warehouse is made: one process opens the file once at a time
}

// Start calls penstock_run and waits for it. An error text of DuckDB may quote a row
// (I6): only what is known to quote none is passed on.
func (e *dueRunner) Start(ctx context.Context, c run.Call) (st run.Statement, err error) {
	if !e.ready.Load() {
		return st, fmt.Errorf("%w: the warehouse is being made", run.ErrBusy)
	}
	w, err := duckdb.Open(ctx, duckdb.Config{Path: e.path, Files: e.from.folder(), Gateway: e.place.machine.URL, Token: e.token})
	if err != nil {
		if inUse(err) {
			return st, fmt.Errorf("%w: the warehouse is open in another process (penstock sql, push or demo)", run.ErrBusy)
		}
		return st, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	v, err := e.place.machine.Store.Current(ctx, c.Sync)
	if err != nil {
		return st, fmt.Errorf("read sync %q: %w", c.Sync, err)
	}
	text, err := e.from.selectOf(c.Sync)
	if err == nil && text != "" {
		err = w.SetModel(ctx, v.Definition.Relation(), text)
	}
	if err == nil {
		err = w.SetViews(ctx, &v.Definition)
	}
	if err != nil {
		return failed(err), nil
	}
	var id, status, reason sql.NullString
	err = scanOne(ctx, w, "SELECT run, status, reason FROM penstock_run(?, ?)", []any{c.Sync, string(c.Mode)}, &id, &status, &reason)
	if ctx.Err() != nil { // the machine stops; it is called again at the next start
		return st, errors.New("it was interrupted")
	}
	if err != nil {
		return interruptedIn(err), nil
	}
	return run.Statement{State: run.StatementDone, Skipped: !id.Valid, Run: id.String, Reason: reason.String}, nil
}

// Look is not asked: Start waits for the statement.
func (e *dueRunner) Look(context.Context, string) (run.Statement, error) {
	return run.Statement{}, run.ErrRefused
}

func failed(err error) run.Statement {
	return run.Statement{State: run.StatementFailed, Reason: firstLine(err)}
}

var (
	stepOf = regexp.MustCompile(`penstock_run: [a-z]+`)
	runIn  = regexp.MustCompile(`the run ([a-z][a-z0-9_]*\.[a-z0-9]+) is cancelled`)
)

// interruptedIn is a failed penstock_run by its step and its run, which says why.
func interruptedIn(err error) run.Statement {
	text := err.Error()
	st := run.Statement{State: run.StatementFailed, Reason: cmp.Or(stepOf.FindString(text), "penstock_run") + " failed"}
	if m := runIn.FindStringSubmatch(text); m != nil {
		st.Run, st.Reason = m[1], st.Reason+"; the run says why"
	} else {
		st.Reason += fmt.Sprintf(":  %s run SYNC  shows why", self())
	}
	return st
}

// scheduled is the warehouse of due syncs, nil where there is none; the place is to be
// filled in.
func (c localCmd) scheduled() (runs.Warehouse, *dueRunner) {
	if !c.Schedule || c.Bare || !c.tells {
		return nil, nil
	}
	e := &dueRunner{path: c.warehousePath(), from: modelled{Syncs: c.Syncs}, token: c.Token}
	return e, e
}

// frequent counts the syncs that run by themselves.
func frequent(set yamlfile.Set) (n int) {
	for _, y := range set.Syncs {
		if y.Definition.Frequency != "" {
			n++
		}
	}
	return n
}
