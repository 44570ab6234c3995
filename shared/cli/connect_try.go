package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/inspect"
	"github.com/penstock-data/penstock/shared/syncdef"
)

type connectTestCmd struct {
	Name  string `arg:"" help:"The connection's name in connections.yaml."`
	Syncs string `help:"The folder of definitions and connections.yaml: syncs, or else sql/syncs, when not given; of a stack what is applied, when not given." placeholder:"DIR"`
	Stack string `help:"This stack in AWS, with your own credentials, instead of this machine; the connection's secret is read here, or else in the stack." placeholder:"NAME"`
	JSON  bool   `name:"json" help:"Print JSON."`
	asking
}

// Help says what the test does to a connection that is paused.
func (connectTestCmd) Help() string {
	return "Nothing is changed at the destination. A connection whose rows wait since a secret, a permission, an address or the network failed goes on at once when the test finds nothing missing, and asked what the rows go by: the applied settings, the account that rows go to, the stack's own secret. A spent quota is waited out, and a sync that a person has paused stays so."
}

// A tested connection is what connect test --json prints.
type tested struct {
	Connection string         `json:"connection"`
	Type       string         `json:"type"`
	Asked      string         `json:"asked"` // simulator, connection or a URL
	OK         bool           `json:"ok"`
	Steps      []inspect.Step `json:"steps"`
}

// Run tries the connection, and fails when something is missing.
func (c connectTestCmd) Run(ctx context.Context, s program) (err error) {
	if c.Stack != "" && len(c.Endpoint) > 0 {
		return usage("--endpoint is of this machine: a stack's connection is tried where its rows go")
	}
	q, done, err := c.about(ctx, s, c.Syncs, c.Stack, c.Name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	stored, err := q.pin(ctx, c.Name)
	if err != nil {
		return err
	}
	out := tested{Connection: c.Name, Type: q.of.Type, Asked: ownURL}
	if c.Stack == "" {
		out.Asked = c.asked(ctx, q.of)
	}
	if out.Steps, err = q.asker.Test(ctx, q.of, stored.Account, q.uses()); err != nil {
		return err
	}
	missing := 0
	for _, step := range out.Steps {
		if step.Verdict == inspect.Missing {
			missing++
		}
	}
	out.OK = missing == 0
	failed := c.goOn(ctx, s, &q, stored, &out) // what was found out is printed first
	if c.JSON {
		err = printJSON(s.out, out)
	} else {
		out.print(s)
	}
	if err = errors.Join(err, failed); err == nil && missing > 0 {
		err = fmt.Errorf("connection %s lacks %s", c.Name, english.Plural(missing, "thing", ""))
	}
	return err
}

// uses are the definitions that deliver to the connection: those of the folder, and what
// is applied to a stack.
func (q *inquiry) uses() (uses []syncdef.Definition) {
	for _, y := range q.syncs {
		if y.Definition.Connection == q.of.Name {
			uses = append(uses, y.Definition)
		}
	}
	if q.place == nil {
		return uses
	}
	for i := range q.versions {
		d := q.versions[i].Definition
		if d.Connection == q.of.Name && !slices.ContainsFunc(uses, func(u syncdef.Definition) bool { return u.Sync == d.Sync }) {
			uses = append(uses, d)
		}
	}
	return uses
}

// asked is whom a connection's questions go to, "" where to nobody.
func (c asking) asked(ctx context.Context, connection syncdef.Connection) string {
	n, err := readNote(c.Data)
	if err != nil {
		return ""
	}
	to, err := c.to(ctx, n, connection)
	if err != nil {
		return ""
	}
	return to
}

// print prints a line for each step, and below it what is to be done.
func (t tested) print(s program) {
	where := map[string]string{"": "", ownURL: "", ownSimulator: ", this machine's simulator"}
	said, known := where[t.Asked]
	if !known {
		said = ", at " + t.Asked
	}
	fmt.Fprintf(s.out, "%s  %s%s\n", t.Connection, t.Type, said)
	for _, step := range t.Steps {
		mark := string(step.Verdict)
		if step.Verdict == inspect.Missing {
			mark = "MISSING"
		}
		head := fmt.Sprintf("  %-8s %s", mark, step.Name)
		if line := head + ": " + step.Detail; len([]rune(line)) <= widest {
			fmt.Fprintln(s.out, line)
			continue
		}
		fmt.Fprintln(s.out, head+":")
		fmt.Fprintln(s.out, wrapped(strings.Repeat(" ", 11), step.Detail))
	}
}
