package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/run"
)

// A recordPage asks for a record, and shows it where one was asked for.
type recordPage struct {
	Connections []string
	Connection  string
	Key         string
	Asked       bool
	Older       string // the address of the page of its older errors, "" at the end
	First       bool
	view.Record
}

func (c *Console) record(r *http.Request) (shown, error) {
	q := r.URL.Query()
	page := recordPage{Connection: q.Get("connection"), Key: strings.TrimSpace(q.Get("key")), First: q.Get("after") == ""}
	var err error
	if page.Asked = page.Connection != "" && page.Key != ""; page.Asked {
		page.Record, err = c.cfg.Pages.Record(r.Context(), page.Connection, page.Key, q.Get("after"))
		page.Connections = page.Record.Connections
		if next := page.Errors.Next; next != "" {
			page.Older = "/record?" + url.Values{"connection": {page.Connection}, "key": {page.Key}, "after": {next}}.Encode()
		}
	} else {
		var names view.Names
		names, err = c.cfg.Pages.Names(r.Context())
		page.Connections = names.Connections
	}
	if err != nil {
		return shown{}, err
	}
	return shown{Title: "Record", Page: "record", Section: "record", Body: page}, nil
}

// Unasked are the syncs in which a record id cannot be looked for, in words; "" for none.
func (p recordPage) Unasked() string {
	if n := len(p.ByMatch); n > 8 {
		return plural(n, "sync")
	}
	return list(p.ByMatch)
}

// Standing is the word of a holding's badge.
func (recordPage) Standing(h view.Holding) string {
	switch {
	case h.Error != "":
		return "error"
	case h.Doubt:
		return "doubt"
	case h.Gone:
		return "gone"
	case h.Held:
		return "held"
	}
	return "none"
}

// An auditPage is what people did.
type auditPage struct {
	Actions []run.Action
	Since   time.Time
	Kept    bool
	More    bool
}

// What the audit page shows: the newest of so many days.
const (
	auditDays = 30
	auditRows = 200
)

func (c *Console) audit(r *http.Request) (shown, error) {
	page := auditPage{Kept: c.cfg.Audit != nil, Since: c.cfg.Now().Add(-auditDays * 24 * time.Hour)}
	if page.Kept {
		var err error
		if page.Actions, err = c.cfg.Audit.Actions(r.Context(), page.Since, auditRows+1); err != nil {
			return shown{}, err
		}
	}
	if page.More = len(page.Actions) > auditRows; page.More {
		page.Actions = page.Actions[:auditRows]
	}
	return shown{Title: "Audit", Page: "audit", Section: "audit", Body: page}, nil
}
