package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/secretfile"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// oldAll asks for the old values of all rows.
const oldAll = "all"

// olds is how many rows of each action are looked at; below 0 all.
func (c planCmd) olds() (int, error) {
	switch c.Old {
	case "":
		return shownPlanned, nil
	case oldAll:
		return -1, nil
	}
	n, err := strconv.Atoi(c.Old)
	if err != nil || n < 0 {
		return 0, usage("--old %s: write a number of rows, %s, or 0 for no call to the destination", c.Old, oldAll)
	}
	return n, nil
}

// looking prepares the look at the destination, nil where none is wanted or the sync is
// not there; the function closes what was opened for it.
func (c planCmd) looking(ctx context.Context, s program, store *sqlite.Store) (*runs.Looking, func() error, error) {
	nothing := func() error { return nil }
	most, err := c.olds()
	if err != nil || most == 0 {
		return nil, nothing, err
	}
	v, err := store.Current(ctx, c.Sync)
	if err != nil { // the plan itself says so
		return nil, nothing, nil //nolint:nilerr // see above
	}
	to, known := s.known.find(v.Rules.Type)
	if !known || v.Rules.Once { // what is only ever inserted replaces nothing
		return nil, nothing, nil
	}
	if nowhere, err := c.nowhere(ctx, store, &v); err != nil || nowhere {
		return nil, nothing, err
	}
	asker, done, err := asking{Data: c.Data, Endpoint: c.Endpoint}.asker(s)
	if err != nil {
		return nil, nothing, err
	}
	open := func(conn syncdef.Connection) (dest.Account, error) { return asker.Open(to.Vendor, conn) }
	k := &runs.Looking{Looker: machine.Verifier(store, to.Vendor.Name, open), Most: most}
	if most < 0 {
		k.Patience = verifyPatience
	}
	return k, done, nil
}

// nowhere reports whether no rows have gone anywhere yet, and the connection's own account
// cannot be asked: they would go to a simulator that is empty.
func (c planCmd) nowhere(ctx context.Context, store *sqlite.Store, v *syncdef.Version) (bool, error) {
	n, err := readNote(c.Data)
	if err != nil || c.Endpoint[v.Rules.Type] != "" || n.To[v.Rules.Type] != "" {
		return false, err
	}
	stored, err := store.Connection(ctx, v.Definition.Connection)
	if err != nil { // the plan itself says so
		return false, notMissing(err)
	}
	_, err = secretsOf(c.Data).Secret(ctx, secretName(stored.Connection))
	return errors.Is(err, secretfile.ErrAbsent), nil
}

// printOld says what was looked at, and what was not.
func (p *plan) printOld(s program) {
	k := p.Old
	if k == nil {
		return
	}
	if k.Looked > 0 {
		text := fmt.Sprintf("%s looked at in %s, with %s", counted(k.Looked), p.Connection, english.Plural(int(k.Calls), "call", ""))
		if k.Stopped == "" && p.asked > k.Looked {
			text += fmt.Sprintf("; --old %s looks at all %s", oldAll, humanize.Comma(p.asked))
		}
		fmt.Fprintln(s.out, wrapped("  ", text))
	}
	if k.Stopped != "" {
		fmt.Fprintln(s.out, wrapped("  ", "what "+p.Connection+" holds was not read: "+k.Stopped))
	}
}
