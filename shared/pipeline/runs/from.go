package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// overlapped is the mark less the definition's overlap; a *row.Refusal where that does
// not fit.
func overlapped(d *syncdef.Definition, mark run.Cursor) (string, error) {
	length, number, ok := d.OverlapOf()
	if !ok || length == 0 && number == 0 {
		return mark.String(), nil
	}
	least, err := mark.Minus(length, number)
	if err != nil {
		return "", row.Refuse("penstock_begin: sync %q: incremental.overlap %s: %v; then run penstock apply", d.Sync, d.Incremental.Overlap, err)
	}
	return least, nil
}

// streamOf is the definition's stream; "" when it names none.
func streamOf(d *syncdef.Definition) string {
	if d.Incremental == nil {
		return ""
	}
	return d.Incremental.Stream
}

// from fills in where the run begins: the mark of today's target and column, or
// all rows. latest is the run that was begun before.
func (c *Control) from(ctx context.Context, r run.Run, v syncdef.Version, latest string) (run.Run, error) {
	var err error
	if r.Target, err = c.target(ctx, v); err != nil {
		return r, err
	}
	d := &v.Definition
	if column := d.Cursor(); column != "" && r.Mode != run.DryRun {
		if err := c.holdForDead(ctx, r.Sync, r.Target, column, includeFailed(d), c.Now()); err != nil {
			return r, err
		}
	}
	m, err := c.mark(ctx, r.Sync, r.Target, d.Cursor())
	if err != nil {
		return r, err
	}
	r.From, r.MarkRevision = m.Value, m.Revision
	every := d.AlwaysEvery()
	r.Always = every > 0 && (r.Mode == run.Full || c.Now().Sub(m.Always) >= every)
	remapped, err := c.remapped(ctx, m, v)
	if err != nil {
		return r, err
	}
	switch {
	case r.Mode == run.CDC:
		r.Remapped = remapped
	case r.Mode == run.Full || remapped:
		r.SelectAll = true
	case d.ChangedOnly():
		if r.SelectAll = m.Version == ""; !r.SelectAll {
			r.SelectAll, err = c.unclean(ctx, latest)
		}
	default:
		r.SelectAll = m.Value == "" || looksDate(m.Value)
	}
	if err != nil || r.SelectAll {
		return r, err
	}
	return since(r, d)
}

// looksDate reports a mark of dates that are not read as such: nothing is at or above it.
func looksDate(mark string) bool {
	c, ok := run.ReadCursor(mark)
	return ok && c.LooksDate()
}

// notRead is the reason of a run that selects all rows for such a mark.
func notRead(column string) string {
	return fmt.Sprintf("the cursor column %[1]s holds dates in a form that is not read as one, so that all rows are selected: write it in the model as YYYY-MM-DD HH24:MI:SS, "+
		"on Snowflake and Redshift TO_CHAR(%[1]s, 'YYYY-MM-DD HH24:MI:SS'), or set the session's output formats so (TIMESTAMP_OUTPUT_FORMAT, DATE_OUTPUT_FORMAT)", column)
}

// since notes how far below the mark rows may be that are selected.
func since(r run.Run, d *syncdef.Definition) (run.Run, error) {
	mark, ok := run.ReadCursor(r.From)
	if !ok || r.Mode == run.CDC {
		return r, nil
	}
	if d.Incremental.Created != "" || r.Always { // their cursor may be anything
		r.Since = mark.Floor()
	}
	least, err := overlapped(d, mark)
	if r.Since == "" && least != r.From {
		r.Since = least
	}
	return r, err
}

// unclean reports whether the last begun run may have sent rows that the warehouse
// does not remember: one that has not completed, unless it got no row and did not have
// to push them all. All are selected then, which mends whatever was missed.
func (c *Control) unclean(ctx context.Context, latest string) (bool, error) {
	if latest == "" {
		return false, nil
	}
	r, err := c.Runs.Run(ctx, latest)
	if errors.Is(err, run.ErrNotFound) {
		return true, nil // it has expired, and with it how it ended
	}
	if err != nil {
		return false, fmt.Errorf("read run %q: %w", latest, err)
	}
	if r.Status == run.Complete {
		return false, nil
	}
	t, err := c.tally(ctx, latest)
	return r.SelectAll || t != nil && t.Counts.Received > 0, err
}

// remapped reports whether the mapping differs from the one with which all rows
// were selected last. Of inserts nothing is selected anew.
func (c *Control) remapped(ctx context.Context, m run.Mark, v syncdef.Version) (bool, error) {
	if v.Rules.Once || m.Version == v.ID {
		return false, nil
	}
	if m.Version == "" {
		return true, nil
	}
	old, err := c.Syncs.Version(ctx, m.Sync, m.Version)
	if errors.Is(err, run.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read sync %q version %s: %w", m.Sync, m.Version, err)
	}
	return mappingOf(old) != mappingOf(v), nil
}
