package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/doctor"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

type doctorCmd struct {
	Syncs string        `help:"The folder of definitions and connections.yaml: syncs, or else sql/syncs, when not given." placeholder:"DIR"`
	Stack string        `help:"This stack in AWS, with your own credentials, instead of this machine." placeholder:"NAME"`
	Wait  time.Duration `default:"15s" help:"How long a check may take."`
	JSON  bool          `name:"json" help:"Print JSON."`
	asking
}

// Help says what the words of a line mean.
func (doctorCmd) Help() string {
	return `Each line is one check. ok is well. warn works, or cannot be known, and is worth a look. fail means that rows do not arrive, or will not; the line below says what to do.

Nothing is changed: accounts are asked as  penstock connect test  asks them, and the state is read, and written with what it holds already.`
}

// examined is what doctor --json prints.
type examined struct {
	OK     bool             `json:"ok"` // nothing fails
	Where  string           `json:"where"`
	Checks []doctor.Finding `json:"checks"`
}

// Run examines the machine or the stack, and fails when something does.
func (c doctorCmd) Run(ctx context.Context, s program) error {
	if c.Wait <= 0 {
		return usage("--wait %v: longer than nothing", c.Wait)
	}
	if _, _, err := c.asker(s); err != nil {
		return err
	}
	e := &examination{doctorCmd: c, program: s, clocks: &doctor.Clocks{Now: s.clock.now}}
	defer e.close()
	where := "this machine, " + c.Data
	var found []doctor.Finding
	if c.Stack != "" {
		where = "stack " + c.Stack
		found = e.stack(ctx)
	} else {
		found = e.machine(ctx)
	}
	found = append(found, e.clocks.Finding())
	fails, warns := doctor.Failed(found)
	if c.JSON {
		if err := printJSON(s.out, examined{fails == 0, where, found}); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(s.out, where)
		for _, f := range found {
			s.printFinding(f)
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case fails > 0:
		return fmt.Errorf("%s, %s", english.Plural(fails, "check fails", "checks fail"), english.Plural(warns, "warning", ""))
	case !c.JSON:
		fmt.Fprintf(s.out, "%s, nothing fails, %s\n", english.Plural(len(found), "check", ""), english.Plural(warns, "warning", ""))
	}
	return nil
}

// printFinding prints a line of at most 80 columns, or several where a name or a text is
// long, and the remedy below it.
func (s program) printFinding(f doctor.Finding) {
	colour := map[doctor.Verdict]string{doctor.OK: good, doctor.Warn: warning, doctor.Fail: bad}[f.Verdict]
	head := f.Check
	if f.About != "" {
		head += " " + f.About
	}
	mark := paint(s.out, colour, fmt.Sprintf("%-4s", f.Verdict))
	if line := head + ": " + f.Detail; len([]rune(line)) <= widest-8 && !strings.Contains(line, "\n") {
		fmt.Fprintf(s.out, "  %s  %s\n", mark, line)
	} else {
		fmt.Fprintf(s.out, "  %s  %s:\n%s\n", mark, head, wrapped(strings.Repeat(" ", 8), f.Detail))
	}
	if f.Remedy != "" {
		fmt.Fprintln(s.out, hanging("     -> ", f.Remedy))
	}
}

// hanging is a text in lines of at most 80 columns, the first after the indent and the
// others below its beginning.
func hanging(indent, text string) string {
	return indent + strings.TrimLeft(wrapped(strings.Repeat(" ", len(indent)), text), " ")
}

// An examination is what the checks share. What the first checks find out (the state, the
// definitions) is nil or empty where it could not be.
type examination struct {
	doctorCmd
	program
	clocks *doctor.Clocks

	set     yamlfile.Set
	store   *sqlite.Store // of this machine
	control *runs.Control // over the state of this machine, or of the stack
	applied []syncdef.Version
	tokens  paces  // of the state
	prefix  string // of the stack's secrets

	mu      sync.Mutex
	closers []func() error // guarded by mu
}

// closes has close end what was opened.
func (e *examination) closes(f func() error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closers = append(e.closers, f)
}

// paces reads how connections are paced.
type paces interface {
	Pace(ctx context.Context, connection string) (pace.State, error)
}

// close ends what was opened. One that hangs is left to the end of the process.
func (e *examination) close() {
	e.mu.Lock()
	closers := e.closers
	e.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, c := range closers {
			_ = c() // nothing was written that could be lost
		}
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Second):
	}
}

// flags are those that another command needs for the same state; "" for none.
func (c doctorCmd) flags() string { return somewhere{Data: c.Data, Stack: c.Stack}.flags() }

// syncsFlag is the flag that another command needs for the same definitions.
func (c doctorCmd) syncsFlag() string {
	if c.Syncs == "" {
		return ""
	}
	return " --syncs " + c.Syncs
}
