package console

import (
	"context"
	"fmt"
	"net/url"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// prepareRetry is about one error (ref), errors of a run, or of a sync's runs: those of a
// record alone, or all; type, stage and field narrow them.
func (c *Console) prepareRetry(ctx context.Context, q url.Values) (plan, error) {
	switch {
	case q.Get("record") != "" && (q.Get("run") != "" || q.Get("sync") != ""):
		return c.retryRecord(ctx, q)
	case q.Get("ref") != "":
		return c.retryOne(ctx, q)
	case q.Get("run") != "":
		return c.retryRun(ctx, q)
	case q.Get("sync") != "":
		return c.retrySync(ctx, q)
	}
	return plan{}, row.Refuse("a retry names a run, a sync or an error")
}

func (c *Console) retryOne(ctx context.Context, q url.Values) (plan, error) {
	e, err := c.cfg.Errors.Error(ctx, q.Get("ref"))
	if err != nil {
		return plan{}, err
	}
	q["run"] = []string{e.Run}
	p := plan{Title: "Send 1 row again", Back: "/error?ref=" + url.QueryEscape(e.Ref)}
	if e.Settled {
		p.Says = []string{"Nothing is left to send: a later row of its key was settled since, or the sync delivers elsewhere now."}
		return p, nil
	}
	if !retriable(e) {
		p.Says = []string{"Nothing is stored of the row that could be sent again: mend it in the warehouse, or the mapping, and push it again."}
		return p, nil
	}
	p.Button = "Send it again"
	p.Says = []string{fmt.Sprintf("1 row of %s, which failed with %s, is sent again with today's mapping.", e.Sync, e.Type), stillOpen}
	p.Commands = []string{"retry " + e.Run + " --error " + e.Ref}
	return p, nil
}

// stillOpen is what a retry leaves out.
const stillOpen = "A row that a later one has settled since is left out: an older value overwrites no newer one."

// counted are rows by what a retry makes of them.
type counted struct{ again, push, unknown int64 }

// narrow are the filters of a form; "" is any. bare means the errors that name no field.
type narrow struct {
	kind, stage, field string
	bare               bool
}

func narrowed(q url.Values) narrow {
	n := narrow{kind: q.Get("type"), stage: q.Get("stage"), field: q.Get("field")}
	n.bare = n.field == "" && q.Get("nofield") != ""
	return n
}

// fields are those of a selector.
func (n narrow) fields() []string {
	if n.bare {
		return []string{""}
	}
	return some(n.field)
}

// says is the narrowing in words, "" for none.
func (n narrow) says() string {
	var by []string
	for _, f := range []struct{ name, value string }{{"the type ", n.kind}, {"the stage ", n.stage}, {"the field ", n.field}} {
		if f.value != "" {
			by = append(by, f.name+f.value)
		}
	}
	text := ""
	if len(by) > 0 {
		text = " of " + list(by)
	}
	if n.bare {
		text += " that name no field"
	}
	if text == "" {
		return ""
	}
	return " Only errors" + text + " are meant."
}

// take counts the groups that a form means.
func take(groups []view.Group, q url.Values) (n counted) {
	by := narrowed(q)
	for _, g := range groups {
		switch {
		case by.kind != "" && g.Type != by.kind, by.stage != "" && g.Stage != by.stage, (by.field != "" || by.bare) && g.Field != by.field:
		case g.Stage == "intake":
			n.push += g.Rows
		case g.Type == "unknown" && by.kind == "":
			n.unknown += g.Rows
		default:
			n.again += g.Rows
		}
	}
	return n
}

func (c *Console) retryRun(ctx context.Context, q url.Values) (plan, error) {
	v, err := c.cfg.Pages.Run(ctx, run.OriginalOf(q.Get("run")))
	if err != nil {
		return plan{}, err
	}
	n := take(v.Groups, q)
	if open, ok, err := c.openFew(ctx, q, view.Filter{Sync: v.Sync, Run: v.Run}, n); err != nil {
		return plan{}, err
	} else if ok {
		n = open.counted
	}
	p := plan{Title: "Send " + plural(n.again, "row") + " again", Back: "/run/" + url.PathEscape(v.Run)}
	p.Says = n.says(v.Sync)
	p.Says[0] += narrowed(q).says()
	if n.again > 0 {
		p.Button = "Send " + them(n.again) + " again"
		p.Commands = []string{"retry " + v.Run + flags(q)}
	}
	return p, nil
}

func them(n int64) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// says is what a retry does with the rows.
func (n counted) says(sync string) (out []string) {
	if n.again > 0 {
		out = append(out, fmt.Sprintf("Up to %s of %s, which failed, %s sent again with today's mapping.", plural(n.again, "row"), sync, verb(n.again)), stillOpen)
	} else {
		out = append(out, "There is no row that could be sent again.")
	}
	if n.push > 0 {
		out = append(out, fmt.Sprintf("%s rejected before being queued, and not sent: whoever pushed them pushes them again, once they are mended.", were(n.push)))
	}
	if n.unknown > 0 {
		out = append(out, fmt.Sprintf("%s not sent, because they may have arrived: look for them at the destination, then retry that group alone.", verbed(n.unknown)))
	}
	return out
}

func verb(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func were(n int64) string {
	if n == 1 {
		return "1 more row was"
	}
	return plural(n, "more row") + " were"
}

func verbed(n int64) string {
	if n == 1 {
		return "1 row of the type unknown is"
	}
	return plural(n, "row") + " of the type unknown are"
}

// flags are those of penstock retry that narrow it as a form does.
func flags(q url.Values) string {
	by := narrowed(q)
	text := ""
	for _, f := range []struct {
		name   string
		values []string
	}{{"type", some(by.kind)}, {"stage", some(by.stage)}, {"field", by.fields()}} {
		for _, value := range f.values {
			text += flag(f.name, value)
		}
	}
	return text
}

// retrySync is about those of a sync's last runs that have rows which are not right.
func (c *Console) retrySync(ctx context.Context, q url.Values) (plan, error) {
	v, err := c.cfg.Pages.Sync(ctx, q.Get("sync"))
	if err != nil {
		return plan{}, err
	}
	var n counted
	p := plan{Title: "Send the open errors of " + last(len(v.Chart)) + " of " + v.Sync + " again", Back: "/errors?sync=" + url.QueryEscape(v.Sync)}
	named := q["only"]
	q["only"] = nil
	for _, l := range v.Chart {
		if l.Right >= l.Counts.Received || run.IsRetry(l.Run) {
			continue
		}
		one, err := c.cfg.Pages.Run(ctx, l.Run)
		if err != nil {
			return plan{}, err
		}
		of := take(one.Groups, q)
		n = counted{n.again + of.again, n.push + of.push, n.unknown + of.unknown}
		if of.again > 0 {
			q.Add("only", l.Run)
			p.Commands = append(p.Commands, "retry "+l.Run+flags(q))
		}
	}
	if open, ok, err := c.openFew(ctx, q, view.Filter{Sync: v.Sync}, n); err != nil {
		return plan{}, err
	} else if ok {
		ids := q["only"]
		n, p.Commands, q["only"] = counted{push: open.push, unknown: open.unknown}, nil, nil
		for _, id := range ids {
			if rows := len(open.refs[id]); rows > 0 {
				n.again += int64(rows)
				q.Add("only", id)
				p.Commands = append(p.Commands, "retry "+id+flags(q))
			}
		}
	}
	if q.Has("once") { // what was asked about is what is done
		q["only"] = named
	}
	p.Says = n.says(v.Sync)
	if n.again > 0 {
		p.Says[0] += fmt.Sprintf(" They are of %s.", plural(len(p.Commands), "run"))
	}
	p.Says[0] += narrowed(q).says()
	p.Says = append(p.Says, "Errors of earlier runs, and of those that go on, are left out: the page of a run sends its errors again.")
	if n.again > 0 {
		p.Button = "Send " + them(n.again) + " again"
	}
	return p, nil
}

// last says how many of a sync's runs are meant.
func last(n int) string {
	if n == 1 {
		return "the last run"
	}
	return "the last " + plural(n, "run")
}

// retry sends what the form means.
func retry(ctx context.Context, a *Actions, q url.Values) (string, error) {
	by := narrowed(q)
	s := runs.Selector{Records: some(q.Get("record")), Types: some(by.kind), Stages: some(by.stage), Fields: by.fields()}
	if refs := q["ref"]; len(refs) > 0 {
		s = runs.Selector{Refs: refs}
	}
	ids := some(q.Get("run"))
	if len(ids) == 0 {
		ids = q["only"]
	}
	return each(ids, func(id string) (string, error) { return a.Runs.Retry(ctx, run.OriginalOf(id), s, q.Get("once")) })
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
