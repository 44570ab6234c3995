package console

import (
	"context"
	"fmt"
	"net/url"

	"github.com/penstock-data/penstock/shared/app/view"
)

func (c *Console) prepareCancel(ctx context.Context, q url.Values) (plan, error) {
	v, err := c.cfg.Pages.Run(ctx, q.Get("run"))
	if err != nil {
		return plan{}, err
	}
	left := v.Counts.Received - v.Counts.Settled()
	p := plan{Title: "Cancel run " + v.Run, Back: "/run/" + url.PathEscape(v.Run), Grave: true}
	if v.Status.Ended() {
		p.Says = []string{fmt.Sprintf("The run is %s already: there is nothing to cancel.", v.Status)}
		return p, nil
	}
	p.Button, p.Reason = "Cancel the run", "Why, for whoever reads the run's status"
	p.Says = []string{
		fmt.Sprintf("%s not delivered yet, and will not be sent; rows that the run pushes from now on are refused.", are(left, "row")),
		fmt.Sprintf("%s delivered already, and %s so at the destination.", are(v.Counts.Delivered, "row"), stay(v.Counts.Delivered)),
		"Its watermark does not move: the next run of the sync selects the rows again.",
	}
	p.Commands = []string{"cancel " + v.Run}
	return p, nil
}

// are counts things that are something.
func are(n int64, one string) string {
	if n == 1 {
		return "1 " + one + " is"
	}
	return plural(n, one) + " are"
}

func stay(n int64) string {
	if n == 1 {
		return "stays"
	}
	return "stay"
}

func (c *Console) preparePause(ctx context.Context, q url.Values) (plan, error) {
	v, err := c.cfg.Pages.Sync(ctx, q.Get("sync"))
	if err != nil {
		return plan{}, err
	}
	p := plan{Title: "Pause " + v.Sync, Back: "/sync/" + url.PathEscape(v.Sync), Button: "Pause the sync", Reason: "Why, for whoever looks at the sync or pushes to it"}
	p.Says = pausing("The sync")
	if n := len(v.Running); n > 0 {
		p.Says = append(p.Says, fmt.Sprintf("%s on now, and will be delivered: a run is ended by cancelling it.", goes(n)))
	}
	if v.Paused != nil {
		p.Says = []string{"The sync is " + v.Paused.Why() + ". Pausing it again changes the reason alone."}
	}
	p.Commands = []string{"pause " + v.Sync}
	return p, nil
}

func goes(n int) string {
	if n == 1 {
		return "1 run goes"
	}
	return plural(n, "run") + " go"
}

func pausing(who string) []string {
	return []string{
		who + " takes nothing on: its runs wait, rows that are pushed to it are blocked, its schedule skips, and failed rows are not sent again.",
		"Nobody is alerted that it is late. What was accepted before is still delivered.",
	}
}

func (c *Console) prepareResume(ctx context.Context, q url.Values) (plan, error) {
	v, err := c.cfg.Pages.Sync(ctx, q.Get("sync"))
	if err != nil {
		return plan{}, err
	}
	p := plan{Title: "Resume " + v.Sync, Back: "/sync/" + url.PathEscape(v.Sync)}
	if v.Paused == nil {
		p.Says = []string{"The sync is not paused: there is nothing to resume."}
		return p, nil
	}
	p.Button = "Resume the sync"
	p.Says = append([]string{"The sync was " + v.Paused.Why() + "."}, resuming...)
	p.Commands = []string{"resume " + v.Sync}
	return p, nil
}

var resuming = []string{
	"The next run selects what the paused time left out.",
	"Rows that were pushed meanwhile, outside of a run, were blocked: whoever pushed them pushes them again.",
}

// connection is one of the overview's, with the rows of its syncs.
func (c *Console) connection(ctx context.Context, name string) (view.Connection, []view.Row, error) {
	o, err := c.cfg.Pages.Overview(ctx)
	if err != nil {
		return view.Connection{}, nil, err
	}
	for _, x := range o.Connections {
		if x.Name != name {
			continue
		}
		var rows []view.Row
		for _, s := range o.Syncs {
			if s.Connection == name {
				rows = append(rows, s)
			}
		}
		return x, rows, nil
	}
	return view.Connection{}, nil, fmt.Errorf("connection: %w", view.ErrNotFound)
}

// preparePauseAll pauses those syncs of a connection that are not paused: the form names
// each, so that what was asked about is what is done.
func (c *Console) preparePauseAll(ctx context.Context, q url.Values) (plan, error) {
	x, rows, err := c.connection(ctx, q.Get("connection"))
	if err != nil {
		return plan{}, err
	}
	p := plan{Title: "Pause all syncs of " + x.Name, Back: "/", Button: "Pause them", Reason: "Why, for whoever looks at the syncs or pushes to them"}
	names := chosen(q, rows, func(s view.Row) bool { return s.Paused == nil })
	return p.of(names, "pause", pausing("Each"), "All syncs of the connection are paused already."), nil
}

func (c *Console) prepareResumeAll(ctx context.Context, q url.Values) (plan, error) {
	x, rows, err := c.connection(ctx, q.Get("connection"))
	if err != nil {
		return plan{}, err
	}
	p := plan{Title: "Resume all syncs of " + x.Name, Back: "/", Button: "Resume them"}
	names := chosen(q, rows, func(s view.Row) bool { return s.Paused != nil })
	return p.of(names, "resume", resuming, "No sync of the connection is paused."), nil
}

// chosen are the syncs that a form names, or those that are offered; q names them then.
func chosen(q url.Values, rows []view.Row, take func(view.Row) bool) []string {
	known := map[string]bool{}
	var offered []string
	for _, s := range rows {
		known[s.Sync] = true
		if take(s) {
			offered = append(offered, s.Sync)
		}
	}
	if !q.Has("once") { // it is asked
		q["only"] = offered
		return offered
	}
	var names []string
	for _, name := range q["only"] {
		if known[name] {
			names = append(names, name)
		}
	}
	q["only"] = names
	return names
}

// of fills in a plan over several syncs.
func (p plan) of(names []string, command string, says []string, nothing string) plan {
	if len(names) == 0 {
		p.Button, p.Reason, p.Says = "", "", []string{nothing}
		return p
	}
	p.Says = append([]string{plural(len(names), "sync") + ": " + list(names) + "."}, says...)
	for _, name := range names {
		p.Commands = append(p.Commands, command+" "+name)
	}
	return p
}

func list(names []string) string {
	text := ""
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			text += " and "
		default:
			text += ", "
		}
		text += name
	}
	return text
}

func (c *Console) prepareAccept(ctx context.Context, q url.Values) (plan, error) {
	x, rows, err := c.connection(ctx, q.Get("connection"))
	if err != nil {
		return plan{}, err
	}
	names := make([]string, len(rows))
	for i, s := range rows {
		names[i] = s.Sync
	}
	return plan{
		Title: "Accept another account for " + x.Name, Back: "/", Button: "Accept the account that answers next", Grave: true,
		Says: []string{
			"The connection delivers to whichever account answers next, and to no other one from then on.",
			fmt.Sprintf("%s with an empty ledger: %s. Their next runs select all rows and send them to that account.", start(len(names)), list(names)),
			"What the account of now holds stays there, and is not looked after any more.",
		},
		Commands: []string{"connect " + x.Name + " --accept-account"},
	}, nil
}

func start(n int) string {
	if n == 1 {
		return "1 sync starts"
	}
	return plural(n, "sync") + " start"
}

func (c *Console) prepareReset(ctx context.Context, q url.Values) (plan, error) {
	v, err := c.cfg.Pages.Sync(ctx, q.Get("sync"))
	if err != nil {
		return plan{}, err
	}
	p := plan{Title: "Reset the watermark of " + v.Sync, Back: "/sync/" + url.PathEscape(v.Sync), Button: "Clear the watermark", Grave: true}
	p.Says = []string{"The next run selects all rows of the model. The ledger stays: rows that are right at the destination are not sent again."}
	if v.Watermark != "" {
		p.Says = append(p.Says, "The watermark of now, "+v.Watermark+", is forgotten.")
	}
	p.Commands = []string{"reset " + v.Sync}
	return p, nil
}
