package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/app/inspect"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// What asking a destination came to.
const (
	askedAll     = "checked"
	askedNone    = "no_metadata"
	askedNothing = "not_checked"
)

// destinations holds each sound definition against the account that its rows go to.
func (c validateCmd) destinations(ctx context.Context, s program, set yamlfile.Set, v *validation) (err error) {
	asker, done, err := c.asker(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	silent := map[string]bool{} // connections of which it was told that they say nothing
	for _, y := range set.Syncs {
		if y.Faulty(v.faults) {
			continue // what it means is not sure
		}
		got, err := asker.Check(ctx, y.Definition, y.Connection)
		if err != nil {
			return err
		}
		v.asked(y, got, silent)
		if name := y.Definition.Connection; got.Untold == "" && c.asked(ctx, y.Connection) == ownSimulator && !slices.Contains(v.stands, name) {
			v.stands = append(v.stands, name)
		}
	}
	return nil
}

// asked notes what an account said of a sync.
func (v *validation) asked(y yamlfile.Sync, got inspect.Checked, silent map[string]bool) {
	state := askedAll
	switch name := y.Definition.Connection; {
	case got.None:
		state = askedNone
		v.told(y, syncdef.Fault{Path: "connection", Message: got.Untold})
	case got.Untold != "":
		state = askedNothing
		if !silent[name] {
			silent[name] = true
			v.faults = append(v.faults, y.Placed([]syncdef.Fault{{Path: "connection", Message: "connection " + name + " cannot be asked: " + got.Untold}})...)
		}
	}
	v.faults = append(v.faults, y.Placed(got.Faults)...)
	for _, n := range got.Notices {
		v.told(y, n)
	}
	for i := range v.Syncs {
		if v.Syncs[i].Sync == y.Definition.Sync {
			v.Syncs[i].Connection = state
		}
	}
}

// simulated says whose answers are those of a simulator.
func (v *validation) simulated() string {
	if len(v.stands) == 0 {
		return ""
	}
	return " (asked for " + strings.Join(v.stands, ", ") + ": this machine's simulator)"
}

// told notes something that is no fault.
func (v *validation) told(y yamlfile.Sync, n syncdef.Fault) {
	v.notices = append(v.notices, y.Placed([]syncdef.Fault{n})...)
}
