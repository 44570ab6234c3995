package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// MaxDepth is the number of queued messages above which intake answers 429: SQS
// FIFO looks for free groups only among the first 120,000 of a queue.
const MaxDepth = 60_000

// Intake takes one request's rows, answers each and queues the good ones. It
// serves concurrent requests.
type Intake struct {
	Syncs  Syncs
	Runs   Runs
	Errors Errors
	Queue  Sender
	Now    func() time.Time

	programs programs
	depths   depths
	last     atomic.Int64 // the place given last
}

// place is the present in Unix nanoseconds, and later than any place that this
// process gave before: two batches never share one (I3).
func (in *Intake) place() int64 {
	for {
		last := in.last.Load()
		next := max(in.Now().UnixNano(), last+1)
		if in.last.CompareAndSwap(last, next) {
			return next
		}
	}
}

// A RequestError fails a whole request; the warehouse shows Message.
type RequestError struct {
	Status  int // 400 the query fails, 429 and 500 the warehouse retries
	Message string
}

// Error implements error.
func (e *RequestError) Error() string { return e.Message }

func badRequest(format string, args ...any) error {
	return &RequestError{Status: 400, Message: fmt.Sprintf(format, args...)}
}

// Push answers a batch of penstock_push(sync or run, row): one answer per row,
// in order. A *RequestError fails the request; any other error is a 500, which
// the warehouse retries with the same batch id.
func (in *Intake) Push(ctx context.Context, b row.Batch) ([]Answer, error) {
	answers := make([]Answer, len(b.Rows))
	unknown := 0
	for _, g := range groups(b.Rows, answers) {
		err := in.push(ctx, b, g, answers)
		var refused *row.Fault
		switch {
		case errors.As(err, &refused):
			for _, i := range g.rows {
				answers[i] = Answer{Status: Rejected, Fault: refused}
			}
			unknown += len(g.rows)
		case err != nil:
			return nil, err
		}
	}
	if unknown > 0 && unknown == len(b.Rows) {
		return nil, badRequest("%s", answers[0].Fault.Message)
	}
	return answers, nil
}

// A group is the rows of a batch that name the same sync or run.
type group struct {
	name string
	rows []int // positions in the batch
}

// groups splits a batch by its first argument, in order of first appearance, and
// answers the rows whose first argument cannot be read.
func groups(rows []row.Row, answers []Answer) []*group {
	var all []*group
	byName := map[string]*group{}
	var last *group
	var lastRaw jsontext.Value
	for i, r := range rows {
		if fault := nameless(r); fault != nil {
			answers[i] = Answer{Status: Rejected, Fault: fault}
			continue
		}
		if last == nil || string(r.Args[0]) != string(lastRaw) {
			name, _ := jsontext.AppendUnquote(nil, r.Args[0])
			if last = byName[string(name)]; last == nil {
				last = &group{name: string(name), rows: make([]int, 0, len(rows)-i)}
				byName[last.name] = last
				all = append(all, last)
			}
			lastRaw = r.Args[0]
		}
		last.rows = append(last.rows, i)
	}
	return all
}

func nameless(r row.Row) *row.Fault {
	switch {
	case len(r.Args) > 0 && r.Args[0].Kind() == '"':
		return nil
	case r.Fault != nil:
		return r.Fault
	}
	return &row.Fault{Field: "sync", Rule: "unknown_sync", Message: "the first argument of penstock_push is missing, null or no text: name a sync, or the run that penstock_begin gave"}
}

// unreadable says why a row cannot go to the mapping.
func unreadable(r row.Row) *row.Fault {
	switch {
	case r.Fault != nil:
		return r.Fault
	case len(r.Args) != 2:
		return &row.Fault{Rule: "wrong_arguments", Message: fmt.Sprintf("penstock_push takes two arguments, a sync or run and a row; %d came", len(r.Args))}
	case len(r.Args[1]) > envelope.MaxRow:
		return &row.Fault{Rule: "row_too_large", Message: fmt.Sprintf("the row has %d KiB of JSON, at most %d KiB are taken: select fewer or shorter columns in the model", len(r.Args[1])>>10, envelope.MaxRow>>10)}
	}
	return nil
}

// push takes one group through the intake: resolve the run, check every row,
// pin the batch, store the rejected rows, queue the rest.
func (in *Intake) push(ctx context.Context, b row.Batch, g *group, answers []Answer) error {
	r, p, err := in.resolve(ctx, b, g.name)
	if err != nil {
		return err
	}
	if r.Status == run.Cancelled {
		block(r, g, answers)
		return nil
	}
	if err := in.room(ctx, p.version.Connection.Type); err != nil {
		return err
	}
	c := newCheck(p, r, b, g, in.place())
	c.mapRows(b.Rows, answers)
	c.dropDuplicates(answers)
	c.sort(b.Rows, answers)
	if err := c.pack(nil); err != nil {
		return err
	}
	stored, err := in.pin(ctx, b, c)
	if err != nil {
		return err
	}
	if err := in.Errors.StoreErrors(ctx, c.errors(b.Rows, answers, in.Now())); err != nil {
		return fmt.Errorf("store the rejected rows of run %q: %w", r.ID, err)
	}
	return in.send(ctx, c, stored)
}

// block answers the rows of a run that was stopped; nothing of them is stored.
func block(r run.Run, g *group, answers []Answer) {
	for _, i := range g.rows {
		answers[i] = Answer{Status: Blocked, Run: r.ID, Fault: &row.Fault{Rule: "run_cancelled", Message: fmt.Sprintf("the run was stopped: %s; mend that and push again", r.Reason)}}
	}
}

// resolve finds the run of a group, and starts the implicit one of a query. A
// *row.Fault says that the name leads nowhere.
func (in *Intake) resolve(ctx context.Context, b row.Batch, name string) (run.Run, *program, error) {
	var r run.Run
	var err error
	if run.IsID(name) {
		r, err = in.Runs.Run(ctx, name)
		if errors.Is(err, ErrNotFound) {
			return r, nil, &row.Fault{Field: "sync", Rule: "unknown_run", Message: fmt.Sprintf("there is no run %q: pass what penstock_begin answered, or the name of a sync", name)}
		}
		if err == nil && r.Status != run.Open && r.Status != run.Cancelled {
			return r, nil, &row.Fault{Field: "sync", Rule: "run_ended", Message: fmt.Sprintf("the run %q is %s and takes no more rows: begin a new one", name, r.Status)}
		}
	} else {
		r, err = in.implicit(ctx, b, name)
	}
	if err != nil {
		return r, nil, err
	}
	if p, ok := in.programs.known(r.Sync, r.Version); ok {
		return r, p, nil
	}
	v, err := in.Syncs.Version(ctx, r.Sync, r.Version)
	if err != nil {
		return r, nil, fmt.Errorf("read sync %q version %s: %w", r.Sync, r.Version, err)
	}
	p, err := in.programs.of(v)
	return r, p, err
}

// implicit stores or finds the run that gathers a query's rows for one sync; its
// first batch pins the version.
func (in *Intake) implicit(ctx context.Context, b row.Batch, name string) (run.Run, error) {
	query := b.Query
	if query == "" {
		query = b.ID // without a query id every batch is a run of its own
	}
	v, err := in.Syncs.Current(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return run.Run{}, in.unknown(ctx, name)
	}
	if err != nil {
		return run.Run{}, fmt.Errorf("read sync %q: %w", name, err)
	}
	r, err := in.Runs.EnsureRun(ctx, run.Run{
		ID: run.ImplicitID(name, query), Sync: name, Version: v.ID, Mode: run.Incremental, Query: query,
		Status: run.Open, BegunAt: in.Now(), Expected: -1,
	})
	if err != nil {
		return r, fmt.Errorf("start a run of sync %q: %w", name, err)
	}
	if _, err := in.programs.of(v); err != nil {
		return r, err
	}
	return r, nil
}

// unknown says which syncs there are.
func (in *Intake) unknown(ctx context.Context, name string) error {
	names, err := in.Syncs.List(ctx)
	if err != nil {
		return fmt.Errorf("list syncs: %w", err)
	}
	there := "none is applied yet: run penstock apply"
	if len(names) > 0 {
		there = fmt.Sprintf("applied are %q; to add one, run penstock apply", names)
	}
	return &row.Fault{Field: "sync", Rule: "unknown_sync", Message: fmt.Sprintf("there is no sync %q: %s", name, there)}
}
