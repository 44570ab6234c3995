package runs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// A Selector says which errors of a run penstock_retry sends again; the zero value
// is all but those of the type unknown.
type Selector struct {
	Records []string `json:"records,omitempty"` // record ids; nil is any
	Types   []string `json:"types,omitempty"`   // error types; nil is any but unknown, which must be named
	Stages  []string `json:"stages,omitempty"`  // where rows failed; nil is anywhere
	Fields  []string `json:"fields,omitempty"`  // fields that are named; nil is any, and none
	Refs    []string `json:"errors,omitempty"`  // single errors (run.RowError.Ref), one of the type unknown too; nil is any
	After   string   `json:"after,omitempty"`   // where an earlier call stopped
}

// typeUnknown is the error of a row that may have arrived.
const typeUnknown = "unknown"

// takes reports whether the selector takes an error; doubt says that it is left out
// only because it may have arrived.
func (s Selector) takes(e *run.RowError) (taken, doubt bool) {
	if !among(s.Records, e.RecordID) || !among(s.Stages, e.Stage) || !among(s.Fields, e.Field) || len(s.Refs) > 0 && !slices.Contains(s.Refs, e.Ref()) {
		return false, false
	}
	if len(s.Refs) > 0 {
		return among(s.Types, e.Type), false
	}
	if len(s.Types) > 0 {
		return slices.Contains(s.Types, e.Type), false
	}
	return e.Type != typeUnknown, e.Type == typeUnknown
}

// among reports whether a list that names anything names this.
func among(list []string, this string) bool { return len(list) == 0 || slices.Contains(list, this) }

// Retried answers penstock_retry. Of the run's errors that the selector takes:
type Retried struct {
	Run        string `json:"run"`        // that carries the rows now
	Queued     int    `json:"queued"`     // sent again
	Superseded int    `json:"superseded"` // no longer open: a later row of the key, or a retry, was settled since
	Retargeted int    `json:"retargeted"` // of another target than the sync has now
	Rejected   int    `json:"rejected"`   // by today's mapping
	PushAgain  int    `json:"push_again"` // rejected at intake, or stored without a source
	Unknown    int    `json:"unknown"`    // left out: they may have arrived; name the type unknown to send them again
	Next       string `json:"next,omitempty"`
	Message    string `json:"message"`
}

// retriedRows is how many errors one call reads about: what a request's time allows.
const retriedRows = 20_000

// Retry sends a run's open errors again: from their stored source, with today's
// mapping, their original sequence and ref, as a run of their own. token is the
// caller's batch id with the row's number.
func (c *Control) Retry(ctx context.Context, id string, sel Selector, token string) (out Retried, err error) {
	err = c.act(ctx, "retry", named(id), func() (string, error) {
		out, err = c.retry(ctx, id, sel, token)
		return out.Message, err
	})
	return out, err
}

func (c *Control) retry(ctx context.Context, id string, sel Selector, token string) (Retried, error) {
	r, err := c.run(ctx, "penstock_retry", run.OriginalOf(id))
	if err != nil {
		return Retried{}, err
	}
	if _, err := c.current(ctx, "penstock_retry", r.Sync); err != nil {
		return Retried{}, err
	}
	if paused, err := c.heldBack(ctx, r.Sync); err != nil {
		return Retried{}, err
	} else if paused != "" {
		return Retried{}, row.Refuse("penstock_retry: %s", paused)
	}
	out := Retried{Run: run.AskedID(r.ID, token)}
	pinned, err := c.pinned(ctx, out.Run) // by this call, made before
	if err != nil {
		return out, err
	}
	after, ended := sel.After, sel.After // the next page begins, and the last batch ended
	var seen kinds
	asked := &run.Asked{}
	for read := 0; read+asked.Read < retriedRows; {
		b := run.Replay{Sync: r.Sync, Original: r.ID, Run: out.Run, ID: run.AskedBatch(r.ID, token, ended)}
		if stored, again := pinned[b.ID]; again && stored.Asked != nil {
			asked, seen.named = stored.Asked, true
			b.Rows, err = c.failedBefore(ctx, b, stored, sel)
		} else {
			b.Rows, err = c.failed(ctx, r.ID, after, sel, &seen, asked)
		}
		if err != nil {
			return out, err
		}
		after, out.Next = asked.Next, asked.Next
		if len(b.Rows) > 0 {
			b.Asked = asked
			if err := c.send(ctx, b, &out); err != nil {
				return out, err
			}
			read, ended, asked = read+asked.Read, asked.Next, &run.Asked{}
		}
		if out.Next == "" {
			break
		}
	}
	out.pass(asked)
	out.Message = out.say(r.ID, seen.say(r.ID, sel.After == "" && out.Next == ""))
	return out, nil
}

// kinds are the types of a run's errors, and whether a selector names any of these errors.
type kinds struct {
	types map[string]bool
	named bool
}

func (k *kinds) look(sel Selector, errs []run.RowError) {
	if k.types == nil {
		k.types = map[string]bool{}
	}
	for i := range errs {
		taken, doubt := sel.takes(&errs[i])
		k.named = k.named || taken || doubt
		k.types[errs[i].Type] = true
	}
}

// say is what a person should know of a selector that names no error: it may be mistyped.
// all says that every error of the run was looked at, and not those of one call alone.
func (k *kinds) say(id string, all bool) string {
	switch types := strings.Join(slices.Sorted(maps.Keys(k.types)), ", "); {
	case k.named:
		return ""
	case all && types == "":
		return fmt.Sprintf(": run %q has no errors", id)
	case all:
		return fmt.Sprintf(": no error of run %q is as you name it; the types that it has are %s", id, types)
	case types == "":
		return ""
	default:
		return fmt.Sprintf(": no error that this call read is as you name it; the types that it read are %s", types)
	}
}

// failed reads one page of errors: the rows of which some are to be sent, or none. What it
// leaves out it adds to asked.
func (c *Control) failed(ctx context.Context, id, after string, sel Selector, seen *kinds, asked *run.Asked) ([]run.ReplayRow, error) {
	errs, next, err := c.Errors.RunErrors(ctx, id, run.MaxRows/10, after)
	if err != nil {
		return nil, fmt.Errorf("list the errors of run %q: %w", id, err)
	}
	seen.look(sel, errs)
	asked.Read, asked.Next = asked.Read+len(errs), next
	taken := make([]*run.RowError, 0, len(errs))
	for i := range errs {
		e := &errs[i]
		switch ok, doubt := sel.takes(e); {
		case doubt:
			asked.Unknown++
		case !ok:
		case len(e.Summary) > 0:
			asked.PushAgain += len(e.Summary)
		case e.Stage == "intake" || len(e.Source) == 0 || e.Target == "":
			asked.PushAgain++
		default:
			taken = append(taken, e)
		}
	}
	open, err := c.open(ctx, taken)
	if err != nil {
		return nil, err
	}
	if len(open) == 0 {
		asked.Superseded += len(taken)
		return nil, nil
	}
	rows := make([]run.ReplayRow, len(taken))
	for n, e := range taken {
		asked.Add(e)
		if rows[n] = replayOf(e); !open[rows[n].Ref] {
			rows[n].Object = nil
		}
	}
	return rows, nil
}

// failedBefore are the rows of a batch that the call pinned when it was made before. Its
// answers are pinned, too: one that was sent needs no more than as many rows.
func (c *Control) failedBefore(ctx context.Context, b run.Replay, stored run.Batch, sel Selector) ([]run.ReplayRow, error) {
	refs := stored.Asked.Refs(b.Original)
	rows := make([]run.ReplayRow, len(refs))
	if stored.Sent {
		return rows, nil
	}
	found, err := c.Errors.ErrorsByRef(ctx, b.Sync, refs)
	if err != nil {
		return nil, fmt.Errorf("read the errors of run %q: %w", b.Original, err)
	}
	taken := make([]*run.RowError, 0, len(refs))
	for _, e := range found {
		if ok, _ := sel.takes(&e); ok {
			taken = append(taken, &e)
		}
	}
	open, err := c.open(ctx, taken)
	if err != nil {
		return nil, err
	}
	for n, ref := range refs {
		e, ok := found[ref]
		if !ok {
			rows[n].Ref = ref
			continue
		}
		if rows[n] = replayOf(&e); !open[ref] {
			rows[n].Attempts++ // no error says so: the worker counts the row, and drops it
		}
	}
	return rows, nil
}

// replayOf is the row of an error, to be sent again.
func replayOf(e *run.RowError) run.ReplayRow {
	return run.ReplayRow{Ref: e.Ref(), Sequence: e.Sequence, Attempts: e.Attempts, Halted: e.Halted, Target: e.Target, Delete: e.Delete, Object: e.Source}
}

// send hands a batch over, and adds what is answered.
func (c *Control) send(ctx context.Context, b run.Replay, out *Retried) error {
	answers, err := c.Replayer.Replay(ctx, b)
	if err != nil {
		return fmt.Errorf("send the errors of run %q again: %w", b.Original, err)
	}
	for _, a := range answers {
		switch {
		case a.Status == row.Queued:
			out.Queued++
		case a.Status == row.Superseded && a.Fault != nil:
			out.Retargeted++
		case a.Status == row.Superseded:
			out.Superseded++
		default:
			out.Rejected++
		}
	}
	out.pass(b.Asked)
	return nil
}

// pass adds what was read and not sent.
func (r *Retried) pass(a *run.Asked) {
	r.Superseded += a.Superseded
	r.PushAgain += a.PushAgain
	r.Unknown += a.Unknown
}

// open tells which errors the ledger's last names, in their target.
func (s *Stores) open(ctx context.Context, errs []*run.RowError) (map[string]bool, error) {
	byTarget := map[string][]*run.RowError{}
	for _, e := range errs {
		byTarget[e.Target] = append(byTarget[e.Target], e)
	}
	open := map[string]bool{}
	for _, target := range slices.Sorted(maps.Keys(byTarget)) {
		list := byTarget[target]
		keys := make([]string, 0, len(list))
		for _, e := range list {
			keys = append(keys, e.Key)
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		entries, err := s.Ledger.Entries(ctx, target, keys)
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		for _, e := range list {
			last := entries[e.Key].Last
			if ref := e.Ref(); last.Error == ref && (!last.Unknown || e.Type == typeUnknown) { // else a worker that stalled found it unknown later
				open[ref] = true
			}
		}
	}
	return open, nil
}

// number says a text of one thing, or of several.
func number[N int | int64](n N, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// say is what a person should know, with what is to be known of the selector.
func (r Retried) say(id, selector string) string {
	s := number(r.Queued, "row is sent again", "rows are sent again")
	if r.PushAgain > 0 {
		s += "; " + number(r.PushAgain, "was rejected before it was queued, or has no stored source: push this row again",
			"were rejected before they were queued, or have no stored source: push these rows again")
	}
	if r.Unknown > 0 {
		s += "; " + number(r.Unknown, "may have arrived: look for it at the destination, and name the type unknown to send it again",
			"may have arrived: look for them at the destination, and name the type unknown to send them again")
	}
	if r.Rejected > 0 {
		s += "; " + number(r.Rejected, "is refused by today's mapping: mend the definition, or push the row again",
			"are refused by today's mapping: mend the definition, or push the rows again")
	}
	if r.Retargeted > 0 {
		s += "; " + number(r.Retargeted, "was for another target (connection, account, object, match or identity) than the sync has now: the next run selects all rows; push this row again if it came outside a run",
			"were for another target (connection, account, object, match or identity) than the sync has now: the next run selects all rows; push those again that came outside a run")
	}
	if r.Superseded > 0 {
		s += "; " + number(r.Superseded, "is not open any more: a newer row of its record, or a retry, has settled since",
			"are not open any more: newer rows of their records, or a retry, have settled since")
	}
	s += selector
	if r.Next != "" {
		s += fmt.Sprintf("; run %q has more errors: call again with what next says", id)
	}
	return s
}
