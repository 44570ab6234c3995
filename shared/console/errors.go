package console

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/run"
)

// An errorsPage is a page of the rows that were not delivered.
type errorsPage struct {
	view.Errors
	Filter view.Filter
	Syncs  []string
	Types  []string // that the page shows, and the one that is filtered by
	Stages []string
	Older  string // the address of the page after, "" at the end
	Over   int    // how many of the errors are not open any more
	First  bool
	// Retry is where what is listed, and what is like it, is sent again; "" for nowhere.
	Retry string
	// Searched says that a search alone keeps it from being sent again.
	Searched bool
}

// stages are where a row can fail.
var stages = []string{"intake", "match", "deliver", "connection", "deadletter"}

func (c *Console) errors(r *http.Request) (shown, error) {
	f := filterOf(r.URL.Query())
	page := errorsPage{Filter: f, Stages: stages, First: f.After == ""}
	if f.Run != "" && f.Sync == "" {
		f.Sync = run.SyncOf(f.Run)
	}
	var err error
	if page.Errors, err = c.cfg.Errors.Errors(r.Context(), f); err != nil {
		return shown{}, err
	}
	names, err := c.cfg.Pages.Names(r.Context())
	if err != nil {
		return shown{}, err
	}
	page.Syncs = names.Syncs
	for _, e := range page.Errors.Errors {
		page.Types = append(page.Types, e.Type)
	}
	if f.Type != "" {
		page.Types = append(page.Types, f.Type)
	}
	slices.Sort(page.Types)
	page.Types = slices.Compact(page.Types)
	if page.Next != "" {
		q := query(f)
		q.Set("after", page.Next)
		page.Older = "/errors?" + q.Encode()
	}
	for _, e := range page.Errors.Errors {
		if e.Settled {
			page.Over++
		}
	}
	if c.cfg.Actions != nil && len(page.Errors.Errors) > page.Over && f.Sync != "" {
		page.Retry, page.Searched = retryOf(f)
	}
	return shown{Title: "Errors", Page: "errors", Section: "errors", Live: page.First && !page.Further, Body: page}, nil
}

// filterOf reads a filter; query writes it. A record's id may begin or end with a space.
func filterOf(q url.Values) view.Filter {
	get := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	return view.Filter{
		Sync: get("sync"), Run: get("run"), Type: get("type"), Stage: get("stage"), Field: get("field"), Record: q.Get("record"), Text: get("text"), After: q.Get("after"),
	}
}

func query(f view.Filter) url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"sync": f.Sync, "run": f.Run, "type": f.Type, "stage": f.Stage, "field": f.Field, "record": f.Record, "text": f.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// retryOf is where the errors of a filter are sent again; no retry is narrowed by a search.
func retryOf(f view.Filter) (address string, searched bool) {
	if f.Text != "" {
		return "", true
	}
	q := query(f)
	if f.Run != "" {
		q.Del("sync")
	}
	return "/confirm/retry?" + q.Encode(), false
}

// Narrow reports whether anything is filtered by.
func (p errorsPage) Narrow() bool { return len(query(p.Filter)) > 0 }

// An errorPage is one row that was not delivered, its source with it.
type errorPage struct {
	view.Error
	Source    string // its JSON in lines, "" where none is stored or may be shown
	Retriable bool
	Act       bool
}

func (c *Console) oneError(r *http.Request) (shown, error) {
	e, err := c.cfg.Errors.Error(r.Context(), r.URL.Query().Get("ref"))
	if err != nil {
		return shown{}, err
	}
	page := errorPage{Error: e, Act: c.cfg.Actions != nil, Retriable: retriable(e)}
	var pretty bytes.Buffer
	if len(e.Source) > 0 && json.Indent(&pretty, e.Source, "", "  ") == nil {
		page.Source = pretty.String()
	}
	return shown{Title: "Error", Page: "error", Section: "errors", Body: page}, nil
}

// retriable reports whether a retry can send the row: one that was rejected before it was
// queued, that a message's summary counts, or whose source is not stored, is pushed again by
// whoever pushed it; of one that is not open any more nothing is left to send.
func retriable(e view.Error) bool {
	return !e.Settled && e.Stage != "intake" && e.Rows <= 1 && e.Stored
}
