package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/mattn/go-isatty"

	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/sql"
)

type forgetCmd struct {
	Key        string `arg:"" help:"A match value as rows write it, such as an email address, or a record id."`
	Connection string `help:"Only what the syncs of this connection store." placeholder:"NAME"`
	Yes        bool   `help:"Do not ask."`
	Dialect    string `help:"Print the warehouse's statements for: snowflake, redshift, bigquery, duckdb; duckdb on one machine, snowflake for a stack, when not given." placeholder:"DIALECT"`
	JSON       bool   `name:"json" help:"Print JSON; needs --yes."`
	Stack      string `help:"This stack in AWS, with your own credentials, instead of this machine; a connection's secret is read here, or else in the stack." placeholder:"NAME"`
	StoredOnly bool   `help:"Remove no record at a destination: only what Penstock stores is deleted, and the records' ids are printed."`
	asking

	place *remote.Place // of the stack
}

// Help says what is deleted, and what is not.
func (forgetCmd) Help() string {
	return `Deletes what Penstock stores of a person: ledger entries, stored errors with their source rows, claims of record ids, in every version and account of every sync. Keys are compared as each destination compares them.

A sync of operation delete or mirror removes its record at the destination, too, before anything else is deleted; of any other the record's id is printed. Where a destination cannot be asked to (a secret, a login, an outage), nothing is deleted: mend it and run the command again, or pass --stored-only. The statements for the warehouse's own tables are printed and not run.

Delete the person in the warehouse first: a row that is pushed again is delivered and stored again. On one machine the state's file is written anew at the end, so that no copy of a deleted row is left in it. The audit log names the key's hash alone.`
}

// forgotten is what forget --json prints.
type forgotten struct {
	Key        string       `json:"key_hash"`
	Found      runs.Person  `json:"found"`
	Removed    []removed    `json:"destination"` // what was done, or is to be done, there
	Deleted    bool         `json:"deleted"`
	Copies     string       `json:"copies,omitempty"`    // why some may be left in the file
	CameBack   *runs.Person `json:"came_back,omitempty"` // while it was deleted
	Until      time.Time    `json:"queued_until,omitzero"`
	Statements []string     `json:"statements"`
}

// Run finds, asks, deletes, and looks again.
func (c forgetCmd) Run(ctx context.Context, s program) (err error) {
	dialect, err := c.dialect()
	if err != nil {
		return err
	}
	if c.JSON && !c.Yes {
		return usage("--json asks nobody: pass --yes too")
	}
	control, done, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	out := forgotten{Key: runs.KeyHash(c.Key), Removed: []removed{}}
	if out.Found, err = control.Find(ctx, c.Key, c.Connection); err != nil {
		return err
	}
	values := []string{c.Key}
	for _, k := range out.Found.Syncs {
		values = append(append(values, k.RecordIDs...), k.Keys...)
	}
	out.Statements = deletions(dialect, &out.Found, values)
	if !c.JSON {
		c.show(s, &out)
	}
	if !c.Yes && !out.Found.Nothing() {
		if !isatty.IsTerminal(s.in.Fd()) {
			return usage("no terminal to ask on: pass --yes to delete")
		}
		if yes, err := agreed(ctx, s, "Delete? [y/N] ", ""); err != nil || !yes {
			return err
		}
	}
	if err := c.delete(ctx, s, control, &out); err != nil {
		return c.undone(s, &out, err)
	}
	if c.JSON {
		err = printJSON(s.out, out)
	} else {
		c.tell(s, &out)
	}
	return errors.Join(err, out.verdict())
}

// open opens the state, or the stack.
func (c *forgetCmd) open(ctx context.Context, s program) (*runs.Control, func() error, error) {
	if c.Stack == "" {
		return somewhere{Data: c.Data}.open(ctx)
	}
	if len(c.Endpoint) > 0 {
		return nil, nil, usage("--endpoint is of this machine: a stack's records are removed where its rows go")
	}
	place, err := remote.Look(ctx, c.Stack, s.clock.now)
	if err != nil {
		return nil, nil, err
	}
	c.place = place
	return place.Control, func() error { return nil }, nil
}

// deletions delete from the warehouse's own tables what may be of the person.
func deletions(d sql.Dialect, p *runs.Person, values []string) []string {
	names := sql.Params{Schema: "penstock", Project: "<PROJECT>", Dataset: "penstock"}
	all := sql.Forget(d, names, values)
	ids := map[string][]string{}
	for _, k := range p.Syncs {
		for _, h := range k.Records {
			table := tableOf(&h.Version).name
			ids[table] = append(ids[table], h.ID)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(ids)) {
		if one := sql.ForgetRecords(d, names, table, ids[table]); one != "" {
			all = append(all, one)
		}
	}
	return all
}

// dialect is whose statements are printed.
func (c forgetCmd) dialect() (sql.Dialect, error) {
	d := sql.Dialect(c.Dialect)
	switch {
	case d == "" && c.Stack != "":
		return sql.Snowflake, nil
	case d == "":
		return sql.DuckDB, nil
	case !slices.Contains(sql.Dialects, d):
		return d, usage("--dialect %s: one of snowflake, redshift, bigquery, duckdb", c.Dialect)
	}
	return d, nil
}

// delete removes what is at destinations, deletes what is ours, and looks whether some
// came back meanwhile.
func (c forgetCmd) delete(ctx context.Context, s program, control *runs.Control, out *forgotten) error {
	err := control.Forget(ctx, c.Key, out.Found, func(ctx context.Context) error { return c.remove(ctx, s, out) })
	if errors.Is(err, runs.ErrCopies) {
		out.Copies, err = err.Error(), nil
	}
	if err != nil {
		return err
	}
	out.Deleted = true
	again, err := control.Find(ctx, c.Key, c.Connection)
	if err != nil {
		return err
	}
	if !again.Nothing() {
		out.CameBack = &again
	}
	if out.Found.Queues = again.Queues; waiting(again.Queues) > 0 {
		out.Until = runs.QueuesUntil(control.Now())
	}
	return nil
}

func waiting(queues map[string]int) (n int) {
	for _, m := range queues {
		n += m
	}
	return n
}

// show prints what was found: how much, of which syncs, and which records go; no value.
func (c forgetCmd) show(s program, out *forgotten) {
	fmt.Fprintf(s.out, "%s (printf %%s KEY | sha256sum)\n", out.Key)
	if out.Found.Nothing() {
		fmt.Fprintln(s.out, "nothing is stored of it")
	}
	for _, k := range out.Found.Syncs {
		text := fmt.Sprintf("%s, %s: %s, %s", k.Connection, k.Object, english.Plural(k.Entries, "ledger entry", "ledger entries"), english.Plural(k.Errors, "stored error", ""))
		if k.Sources > 0 {
			text += fmt.Sprintf(" (%d with the row)", k.Sources)
		}
		if k.Left > 0 {
			text += fmt.Sprintf(", %d to be removed by its mirror", k.Left)
		}
		fmt.Fprintf(s.out, "  %s\n%s\n", k.Sync, wrapped("    ", text))
		for _, line := range c.removals(s, k.Records) {
			fmt.Fprintln(s.out, paint(s.out, warning, wrapped("    ", line)))
		}
	}
}

// tell prints what was done, and what is left to do.
func (c forgetCmd) tell(s program, out *forgotten) {
	if !out.Found.Nothing() {
		fmt.Fprintln(s.out, "deleted")
	}
	for _, r := range out.Removed {
		c.tellOne(s, r)
	}
	if out.Copies != "" {
		fmt.Fprintln(s.out, paint(s.out, warning, wrapped("", out.Copies+"; run the same command again, best with nothing else at work in the folder")))
	}
	if out.CameBack != nil {
		fmt.Fprintln(s.out, paint(s.out, warning, wrapped("", "a worker stored it again meanwhile: the destination holds it; once nothing of it waits, run the same command again")))
	}
	if n := waiting(out.Found.Queues); n > 0 {
		fmt.Fprintln(s.out, wrapped("", fmt.Sprintf("%s in the queues, and may hold rows of it: run the same command again once they are delivered; the last of them expires on %s", english.Plural(n, "message waits", "messages wait"), s.clock.when(out.Until))))
	}
	fmt.Fprintln(s.out, "in the warehouse, after its own tables, run:")
	for _, statement := range out.Statements {
		fmt.Fprintln(s.out, "\n"+statement)
	}
}

// verdict is the exit code: 3 where something is left that brings it back, or is still at
// a destination.
func (f *forgotten) verdict() error {
	left := slices.ContainsFunc(f.Removed, func(r removed) bool { return !r.Removed })
	switch {
	case f.CameBack != nil || waiting(f.Found.Queues) > 0:
		return rowsError{errors.New("rows of it may be on their way: run the same command again")}
	case f.Copies != "":
		return rowsError{errors.New("the file may have copies of what was deleted: run the same command again")}
	case left:
		return rowsError{errors.New("a destination still has a record of it")}
	}
	return nil
}

// agreed asks on a terminal; elsewhere it says what to pass.
func agreed(ctx context.Context, s program, question, nobody string) (bool, error) {
	if !isatty.IsTerminal(s.in.Fd()) {
		fmt.Fprintln(s.err, nobody)
		return false, nil
	}
	fmt.Fprint(s.out, question)
	answers := make(chan string, 1)
	go func() { // outlives an interrupt: nothing can end the read
		answer, _ := bufio.NewReader(s.in).ReadString('\n') // at its end: no answer
		answers <- answer
	}()
	select {
	case answer := <-answers:
		return strings.EqualFold(strings.TrimSpace(answer), "y"), nil
	case <-ctx.Done():
		fmt.Fprintln(s.out)
		return false, ctx.Err()
	}
}
