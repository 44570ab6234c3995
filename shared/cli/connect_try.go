package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/inspect"
	"github.com/penstock-data/penstock/shared/syncdef"
)

type connectTestCmd struct {
	Name  string `arg:"" help:"The connection's name in connections.yaml."`
	Syncs string `help:"The folder of definitions and connections.yaml: syncs, or else sql/syncs, when not given." placeholder:"DIR"`
	JSON  bool   `name:"json" help:"Print JSON."`
	asking
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
	q, done, err := c.about(ctx, s, c.Syncs, c.Name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	stored, err := q.pin(ctx, c.Name)
	if err != nil {
		return err
	}
	var uses []syncdef.Definition
	for _, y := range q.syncs {
		if y.Definition.Connection == c.Name {
			uses = append(uses, y.Definition)
		}
	}
	out := tested{Connection: c.Name, Type: q.of.Type, Asked: c.asked(ctx, q.of)}
	if out.Steps, err = q.asker.Test(ctx, q.of, stored.Account, uses); err != nil {
		return err
	}
	line, err := q.line(ctx, q.of)
	if err != nil {
		return err
	}
	if line.State == connectionPaused {
		out.Steps = append(out.Steps, inspect.Step{Name: "state", Verdict: inspect.Noticed, Detail: fmt.Sprintf("its rows wait since %s: %s", s.clock.when(line.Since), line.Reason)})
	}
	missing := 0
	for _, step := range out.Steps {
		if step.Verdict == inspect.Missing {
			missing++
		}
	}
	out.OK = missing == 0
	if c.JSON {
		err = printJSON(s.out, out)
	} else {
		out.print(s)
	}
	if err == nil && missing > 0 {
		err = fmt.Errorf("connection %s lacks %s", c.Name, english.Plural(missing, "thing", ""))
	}
	return err
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
