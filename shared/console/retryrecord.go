package console

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/run"
)

// How far open errors are looked for: through all of 30 days, unless tens of thousands of
// messages failed in them.
const (
	recordPages  = 10
	recordErrors = 100 // a page
)

// openErrors are those that a retry can send, all of one record, run or sync.
type openErrors struct {
	counted
	runs  []string            // newest first
	refs  map[string][]string // by run
	byID  bool                // all bear the record id that was asked for, and not the key alone
	since time.Time           // none that is older was looked for; zero: all were
}

// openOf reads the open errors that a filter means; with bare those that name no field.
func (c *Console) openOf(ctx context.Context, f view.Filter, bare bool) (openErrors, error) {
	out := openErrors{refs: map[string][]string{}, byID: true}
	f.Limit = recordErrors
	for range recordPages {
		page, err := c.cfg.Errors.Errors(ctx, f)
		if err != nil {
			return out, err
		}
		for _, e := range page.Errors {
			if e.Settled || bare && e.Field != "" || slices.Contains(out.refs[e.Run], e.Ref) {
				continue
			}
			if e.Stage == "intake" || e.Rows > 1 { // it was never queued, or stands for rows that are not stored
				out.push += int64(e.Rows)
				continue
			}
			if e.Type == "unknown" && f.Type == "" {
				out.unknown++
				continue
			}
			if out.again++; out.refs[e.Run] == nil {
				out.runs = append(out.runs, e.Run)
			}
			out.refs[e.Run] = append(out.refs[e.Run], e.Ref)
			out.byID = out.byID && e.RecordID == f.Record
		}
		if f.After, out.since = page.Next, page.Since; f.After == "" {
			break
		}
	}
	return out, nil
}

// openFew reads the open errors that a form means, as far as they are n; not ok where these
// are too many to be read.
func (c *Console) openFew(ctx context.Context, q url.Values, f view.Filter, n counted) (all openErrors, ok bool, err error) {
	if n.again == 0 || n.again > recordPages*recordErrors {
		return all, false, nil
	}
	by := narrowed(q)
	f.Type, f.Stage, f.Field = by.kind, by.stage, by.field
	all, err = c.openOf(ctx, f, by.bare)
	return all, err == nil && all.since.IsZero(), err
}

// retryRecord is about the errors that the page lists of one record: those that bear its
// record id, or its key, which a selector does not know: these are named one by one.
func (c *Console) retryRecord(ctx context.Context, q url.Values) (plan, error) {
	q.Del("nofield") // the page of errors has no such filter
	by := narrowed(q)
	f := view.Filter{Sync: q.Get("sync"), Run: run.OriginalOf(q.Get("run")), Record: q.Get("record"), Type: by.kind, Stage: by.stage, Field: by.field}
	if f.Run != "" {
		f.Sync = run.SyncOf(f.Run)
	}
	all, err := c.openOf(ctx, f, false)
	if err != nil {
		return plan{}, err
	}
	p := plan{Title: "Send " + plural(all.again, "row") + " again", Back: "/errors?" + query(f).Encode(), Says: all.says(f.Sync)}
	p.Says[0] += " Only errors of the record " + f.Record + " are meant." + by.says()
	if !all.since.IsZero() {
		p.Says = append(p.Says, fmt.Sprintf("There may be older ones than of %s, which were not looked for.", c.at(all.since)))
	}
	byID := all.byID && !strings.ContainsAny(f.Record, "\r\n\x00") // a form does not keep these
	var refs []string
	for _, id := range all.runs {
		command := "retry " + id
		if byID {
			command += flag("record", f.Record) + flags(q)
		} else {
			for _, ref := range all.refs[id] {
				command += flag("error", ref)
			}
			refs = append(refs, all.refs[id]...)
		}
		p.Commands = append(p.Commands, command)
	}
	if !q.Has("once") { // else what was asked about is what is done
		q["only"], q["ref"] = all.runs, refs
	}
	if all.again > 0 {
		p.Button = "Send " + them(all.again) + " again"
	}
	return p, nil
}
