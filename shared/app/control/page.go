package control

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire"
)

// errorsWithin is how many errors are read for an answer of at most so many bytes, 0 is
// any number: one without its source takes about 400.
func errorsWithin(most int) int {
	if most == 0 {
		return MaxErrors
	}
	return min(MaxErrors, max(1, most/400))
}

// smaller is a page that is too large for the caller, cut so that it fits; what was cut
// off is on the next page. What has no pages is left as it is, and refused.
func (h *Handler) smaller(ctx context.Context, c wire.Call, value any, most int) (any, error) {
	switch v := value.(type) {
	case Page:
		return v.within(most), nil
	case SyncsPage:
		return v.within(most), nil
	case runs.SyncStatus:
		return h.fewerRuns(ctx, c, v, most)
	}
	return value, nil
}

// overhead is what a page has around its errors.
const overhead = 256

// within is the page's first errors. Of one that is too large alone the source is left
// out, which stays stored.
func (p Page) within(most int) Page {
	size := overhead
	for n, e := range p.Errors {
		b, err := json.Marshal(e)
		if err != nil {
			return p // it is told when the whole is encoded
		}
		if size += len(b) + 1; size <= most {
			continue
		}
		if n == 0 {
			p.Errors[0].Source, n = nil, 1
		}
		last := p.Errors[n-1]
		if n == len(p.Errors) {
			return p
		}
		return Page{Errors: p.Errors[:n], Next: last.Batch + "#" + strconv.Itoa(last.Row)}
	}
	return p
}

// A SyncsPage answers penstock_syncs: whole, but where the caller takes no answer so large.
type SyncsPage struct {
	Syncs []shown `json:"syncs"`
	Next  string  `json:"next,omitempty"` // the last sync's name: pass it as the argument to go on
}

// within is the page's first syncs.
func (p SyncsPage) within(most int) SyncsPage {
	size := overhead
	for n, s := range p.Syncs {
		b, err := json.Marshal(s)
		if err != nil {
			return p // it is told when the whole is encoded
		}
		if size += len(b) + 1; size > most && n > 0 {
			return SyncsPage{Syncs: p.Syncs[:n], Next: p.Syncs[n-1].Sync}
		}
	}
	return p
}

// fewerRuns asks for half the runs until they fit.
func (h *Handler) fewerRuns(ctx context.Context, c wire.Call, s runs.SyncStatus, most int) (runs.SyncStatus, error) {
	since, err := runs.ParseSince(c.Text(wire.From))
	if err != nil {
		return s, err
	}
	for n := len(s.Runs) / 2; n > 0; n /= 2 {
		if s, err = h.Control.StatusPage(ctx, c.Text(wire.Target), runs.Page{Since: since, After: c.Text(wire.After), Runs: n}); err != nil {
			return s, err
		}
		b, err := json.Marshal(s)
		if err != nil {
			return s, fmt.Errorf("encode a status: %w", err)
		}
		if len(b) <= most {
			break
		}
	}
	return s, nil
}

// token is what is the same when the caller repeats a call. A begin that comes again
// under another id is told by what it asks in which query, unless what it began has
// ended: then it is another one, of a caller whose queries' numbers are used twice.
func (h *Handler) token(ctx context.Context, b *wire.Batch, c wire.Call) (string, error) {
	number := "#" + strconv.Itoa(c.Number)
	if b.Same == "" || b.Function != wire.Begin || c.Fault != nil {
		return b.ID + number, nil
	}
	sync := c.Text(wire.Sync)
	if !run.IsName(sync) || run.IsID(sync) {
		return b.ID + number, nil
	}
	ended, err := h.Control.Ended(ctx, run.BegunID(sync, b.Same+number))
	if err != nil || ended {
		return b.ID + number, err
	}
	return b.Same + number, nil
}
