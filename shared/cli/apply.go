package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/app/apply"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

type applyCmd struct {
	definitions
	Data       string `default:"penstock-data" help:"The folder of this machine's state."`
	StateTable string `help:"Apply to this DynamoDB table (stack output StateTable) instead of this machine." placeholder:"NAME"`
	Stack      string `help:"Apply to this stack in AWS, its schedules included, with your own credentials, instead of this machine." placeholder:"NAME"`
	Yes        bool   `short:"y" help:"Do not ask."`

	schedules *apply.Schedules // of the stack; nil without one, or where it has none
}

// remote reports whether the definitions go to AWS.
func (c applyCmd) remote() bool { return c.StateTable != "" || c.Stack != "" }

// A change is a sync, and the connections that it uses, of which something differs from
// what is applied.
type change struct {
	version     syncdef.Version
	connections []syncdef.Connection
}

// Run shows what would change, asks, and stores the versions.
func (c applyCmd) Run(ctx context.Context, s program) (err error) {
	if c.StateTable != "" && c.Stack != "" {
		return usage("--state-table and --stack exclude each other: a stack knows its table")
	}
	set, err := c.load(s)
	if err != nil {
		return err
	}
	if err := s.checkColumns(ctx, set); err != nil {
		return err
	}
	if err := c.haveFolder(); err != nil {
		return err
	}
	control, closeState, err := c.state(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeState()) }()
	if set, err = c.ask(ctx, s, control, set); err != nil {
		return err
	}
	changed, err := differences(ctx, s, control, set)
	if err != nil {
		return err
	}
	versions := make([]syncdef.Version, len(changed))
	for i, x := range changed {
		versions[i] = x.version
	}
	if err := control.CheckAfter(ctx, versions); err != nil {
		return err
	}
	if err := c.tellGone(ctx, s, control, set); err != nil {
		return err
	}
	planned, err := c.due(ctx, s, control, set)
	if err != nil || len(changed) == 0 && planned.empty() {
		return err
	}
	for _, x := range changed {
		if err := control.MayApply(ctx, x.version); err != nil {
			return err
		}
	}
	if !c.Yes {
		yes, err := confirmed(ctx, s)
		if err != nil {
			return err
		}
		if !yes {
			return errors.New("not applied: nothing was changed")
		}
	}
	if err := closeState(); err != nil {
		return err
	}
	closeState = func() error { return nil }
	control, closeStored, err := c.state(ctx, true)
	if err != nil {
		return err
	}
	closeState = closeStored
	for _, x := range changed {
		notes, err := control.Apply(ctx, x.version, x.connections...)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "applied %s as %s\n", x.version.Definition.Sync, x.version.ID)
		for _, n := range notes {
			fmt.Fprintln(s.out, n)
		}
	}
	return planned.make(ctx, s, control, c.schedules)
}

// checkColumns makes validate's check of the models, and refuses what it refuses. The
// warehouse of the models need not be told here: what DuckDB cannot read is left to it.
func (s program) checkColumns(ctx context.Context, set yamlfile.Set) error {
	check := validateCmd{CheckTime: 10 * time.Second}
	if set.Warehouse == nil {
		check.Dialect = "its warehouse"
	}
	var v validation
	if err := check.models(ctx, set, &v); err != nil {
		return err
	}
	v.faults.Sort()
	return faulty(s, v.faults.Err())
}

// tellGone says which applied syncs have no file, where all of a folder is applied.
func (c applyCmd) tellGone(ctx context.Context, s program, control *runs.Control, set yamlfile.Set) error {
	if len(c.Files) > 1 || len(c.Files) == 1 && !isFolder(c.Files[0]) {
		return nil
	}
	at := somewhere{Data: c.Data, Stack: c.Stack}
	if c.StateTable != "" {
		at.Stack = "NAME"
	}
	return s.tellGone(ctx, control, set, at)
}

// ask fills in the rules that depend on the accounts, and says which could not be
// asked. What they contradict is told of all definitions at once.
func (c applyCmd) ask(ctx context.Context, s program, control *runs.Control, set yamlfile.Set) (_ yamlfile.Set, err error) {
	accounts, done := c.accounts(s, control.Syncs.Current)
	defer func() { err = errors.Join(err, done()) }()
	var wrong []error
	set.Syncs = slices.Clone(set.Syncs)
	for i := range set.Syncs {
		y := &set.Syncs[i]
		rules, told, err := accounts.Rules(ctx, y.Definition, y.Rules, y.Connection)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if y.Rules = rules; told != "" {
			fmt.Fprintln(s.err, told)
		}
	}
	return set, errors.Join(wrong...)
}

// haveFolder refuses a folder that is not there: it is mistyped, mostly. Only the one
// that is used when none is named is made.
func (c applyCmd) haveFolder() error {
	if c.remote() || c.Data == defaultData {
		return nil
	}
	if info, err := os.Stat(c.Data); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s: make it (mkdir %[1]s), or leave --data out for %s", c.Data, defaultData)
	}
	return nil
}

// state opens where the versions are stored. Until something is to be stored, a folder
// without a state is an empty one in memory: nothing is made by looking.
func (c *applyCmd) state(ctx context.Context, store bool) (*runs.Control, func() error, error) {
	if c.Stack != "" {
		control, schedules, err := apply.FromStack(ctx, c.Stack)
		c.schedules = schedules
		return control, func() error { return nil }, err
	}
	if c.StateTable != "" {
		control, err := apply.FromAWS(ctx, c.StateTable)
		return control, func() error { return nil }, err
	}
	path := filepath.Join(c.Data, stateFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !store {
		path = ":memory:"
	} else if store {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return nil, nil, fmt.Errorf("make the data folder: %w", err)
		}
	}
	opened, err := sqlite.Open(path, time.Now)
	if err != nil {
		return nil, nil, err
	}
	return machine.Control(opened), opened.Close, nil
}

// differences prints what each definition and each connection changes, and returns
// what is to be stored.
func differences(ctx context.Context, s program, control *runs.Control, set yamlfile.Set) ([]change, error) {
	var changed []change
	moved := map[string]bool{} // connections, by name, of which something differs
	for _, y := range set.Syncs {
		used, moves := set.Used(y), false
		for _, one := range used {
			if _, told := moved[one.Name]; !told {
				differs, err := differentConnection(ctx, s, control, one)
				if err != nil {
					return nil, err
				}
				moved[one.Name] = differs
			}
			moves = moves || moved[one.Name]
		}
		v := syncdef.NewVersion(y.Definition, y.Rules, s.clock.now())
		differs, err := differentVersion(ctx, s, control, v)
		if err != nil {
			return nil, err
		}
		if differs || moves {
			changed = append(changed, change{v, used})
		}
	}
	return changed, nil
}

func differentVersion(ctx context.Context, s program, control *runs.Control, v syncdef.Version) (bool, error) {
	name := v.Definition.Sync
	old, err := control.Syncs.Current(ctx, name)
	switch {
	case errors.Is(err, run.ErrNotFound):
		fmt.Fprintf(s.out, "%s: new, %s\n", name, v.ID)
	case err != nil:
		return false, fmt.Errorf("read sync %q: %w", name, err)
	case old.ID == v.ID:
		fmt.Fprintf(s.out, "%s: unchanged, %s\n", name, v.ID)
		return false, nil
	default:
		fmt.Fprintf(s.out, "%s: %s -> %s\n%s", name, old.ID, v.ID, syncdef.FormatChanges(syncdef.Diff(old, v)))
	}
	return true, nil
}

func differentConnection(ctx context.Context, s program, control *runs.Control, c syncdef.Connection) (bool, error) {
	old, err := control.Connections.Connection(ctx, c.Name)
	if errors.Is(err, run.ErrNotFound) {
		return true, nil // it is told with its first sync
	}
	if err != nil {
		return false, fmt.Errorf("read connection %q: %w", c.Name, err)
	}
	changes := syncdef.DiffConnection(old.Connection, c)
	if len(changes) > 0 {
		fmt.Fprintf(s.out, "connection %s: changed\n%s", c.Name, syncdef.FormatChanges(changes))
	}
	return len(changes) > 0, nil
}

// confirmed asks on a terminal; elsewhere --yes has to be given.
func confirmed(ctx context.Context, s program) (bool, error) {
	return agreed(ctx, s, "Apply? [y/N] ", "no terminal to ask on: pass --yes to apply")
}
