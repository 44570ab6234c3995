package runs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// A Page is a part of a sync's runs, newest first; the zero value is the last few.
type Page struct {
	Since time.Time // no runs begun before, but for those whose errors were sent again since; zero is all
	After string    // SyncStatus.Next of the page before; "" is the first
	Runs  int       // how many runs one page looks at, at most pageRuns; 0 is these
}

// pageRuns is how many runs one page looks at: with 50 groups of failures each about
// half a megabyte of JSON.
const pageRuns = 100

// page reads one page of a sync's runs; recent are the newest, read already.
func (c *Control) page(ctx context.Context, sync string, recent []run.Run, p Page) ([]run.Run, string, error) {
	most := pageRuns
	if p.Runs > 0 {
		most = min(most, p.Runs)
	}
	read := recent
	if p.After != "" {
		begun, id, err := p.after(sync)
		if err != nil {
			return nil, "", err
		}
		if read, err = c.History.RunsBefore(ctx, sync, begun, id, most); err != nil {
			return nil, "", fmt.Errorf("list older runs of sync %q: %w", sync, err)
		}
	}
	next := ""
	if len(read) >= most {
		read = read[:most]
		last := read[most-1]
		next = strconv.FormatInt(last.BegunAt.UnixNano(), 10) + "#" + last.ID
	}
	for n, r := range read {
		if r.BegunAt.Before(p.Since) {
			read, next = read[:n], ""
			break
		}
	}
	out, err := c.originals(ctx, read)
	return out, next, err
}

// originals puts the runs whose rows were sent again in the place of those that sent
// them, each run once.
func (c *Control) originals(ctx context.Context, read []run.Run) ([]run.Run, error) {
	var out []run.Run
	taken := map[string]bool{}
	for _, r := range read {
		if !run.IsRetry(r.ID) {
			taken[r.ID] = true
		}
	}
	for _, r := range read {
		id := run.OriginalOf(r.ID)
		if id == r.ID {
			out = append(out, r)
			continue
		}
		if taken[id] {
			continue
		}
		taken[id] = true
		original, err := c.Runs.Run(ctx, id)
		switch {
		case isMissing(err): // it has expired; its rows have not
		case err != nil:
			return nil, fmt.Errorf("read run %q: %w", id, err)
		default:
			out = append(out, original)
		}
	}
	return out, nil
}

// after reads the place that the token of a page of this sync names.
func (p Page) after(sync string) (begun time.Time, id string, err error) {
	at, id, ok := strings.Cut(p.After, "#")
	nanos, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || run.SyncOf(id) != sync || !run.IsName(id) {
		return begun, "", row.Refuse("penstock_status: this is no place in the runs of the sync: pass the next of the answer before")
	}
	return time.Unix(0, nanos), id, nil
}

// ParseSince reads a time that SQL passes: RFC 3339, or a warehouse's timestamp, which
// without a zone is in UTC; "" is the zero time. The error is the caller's.
func ParseSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, row.Refuse("since is no time: write it as 2026-01-31T12:00:00Z")
}
