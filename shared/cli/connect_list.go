package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

type connectListCmd struct {
	Syncs string `help:"The folder of definitions and connections.yaml: syncs, or else sql/syncs, when not given; of a stack what is applied, when not given." placeholder:"DIR"`
	JSON  bool   `name:"json" help:"Print JSON."`
	somewhere
}

// The states of a connection.
const (
	connectionOK     = "ok"
	connectionPaused = "paused"
	connectionNew    = "not applied"
)

// A listedConnection is one line of connect list.
type listedConnection struct {
	Connection string    `json:"connection"`
	Type       string    `json:"type"`
	Account    string    `json:"account,omitempty"` // that it is pinned to, once one has answered
	Epoch      int64     `json:"epoch"`
	RowsGo     string    `json:"rows_go_to,omitempty"` // on this machine: simulator, connection or a URL
	State      string    `json:"state"`                // ok, paused, not applied
	Since      time.Time `json:"since,omitzero"`       // of the pause
	Until      time.Time `json:"until,omitzero"`       // nobody calls before
	Reason     string    `json:"reason,omitempty"`
	Person     bool      `json:"needs_person,omitempty"` // the pause ends when somebody mends it
	Syncs      []string  `json:"syncs"`
}

// Run lists what the file and the state know.
func (c connectListCmd) Run(ctx context.Context, s program) (err error) {
	k, err := knownConnections(ctx, s, c.Syncs, c.somewhere)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.close()) }()
	n, err := c.note()
	if err != nil {
		return err
	}
	list := []listedConnection{}
	for _, one := range k.all {
		line, err := k.line(ctx, one)
		if err != nil {
			return err
		}
		line.RowsGo = n.To[one.Type]
		list = append(list, line)
	}
	if c.JSON {
		return printJSON(s.out, map[string]any{"connections": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(s.out, "no connections")
		return nil
	}
	t := narrowTable(s.out, table.Row{"connection", "type", "account", "rows go to", "state"})
	for _, l := range list {
		t.AppendRow(table.Row{l.Connection, l.Type, s.known.account(l.Type, l.Account), l.RowsGo, l.State})
	}
	t.Render()
	for _, l := range list {
		if l.State == connectionPaused {
			fmt.Fprintln(s.out, wrapped("", fmt.Sprintf("%s is paused since %s: %s", l.Connection, s.clock.when(l.Since), l.Reason)))
		}
	}
	return nil
}

// connections are those that a folder of definitions and a state know.
type connections struct {
	all      syncdef.Connections // by name; the file's settings go before the stored ones
	syncs    []yamlfile.Sync     // of the folder, sound ones
	applied  map[string][]string // syncs, by connection
	control  *runs.Control       // of the state; nil where nothing is stored
	versions []syncdef.Version   // that are applied
	store    stored              // nil where nothing is stored
	place    *remote.Place       // of a stack
	close    func() error        // the state
}

// stored is what a state knows of connections.
type stored interface {
	List(ctx context.Context) ([]string, error)
	Current(ctx context.Context, sync string) (syncdef.Version, error)
	Connection(ctx context.Context, name string) (syncdef.Stored, error)
	Pace(ctx context.Context, connection string) (pace.State, error)
}

// knownConnections reads both; a folder that is not named may be absent, and so may the
// state of this machine. What is wrong in the folder is told, and what is sound of it
// holds. Beside a stack only a folder that is named is read: what is applied there counts.
func knownConnections(ctx context.Context, s program, dir string, at somewhere) (*connections, error) {
	k := &connections{applied: map[string][]string{}, close: func() error { return nil }}
	if dir != "" || at.Stack == "" && syncsFolder() != "" {
		set, err := loadFolder(dir, s.known.kinds())
		var faults syncdef.Faults
		if err != nil && !errors.As(err, &faults) {
			return nil, err
		}
		for _, f := range faults {
			if filepath.Base(f.File) == yamlfile.ConnectionsFile || len(set.Connections) == 0 {
				fmt.Fprintln(s.err, f)
			}
		}
		k.all = set.Connections
		for _, y := range set.Syncs {
			if !y.Faulty(faults) {
				k.syncs = append(k.syncs, y)
			}
		}
	}
	if at.Stack != "" {
		place, err := remote.Look(ctx, at.Stack, s.clock.now)
		if err != nil {
			return nil, err
		}
		k.place, k.store, k.control = place, place.State, place.Control
		return k, k.stored(ctx)
	}
	if _, err := os.Stat(filepath.Join(at.Data, stateFile)); errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	store, err := openState(at.Data)
	if err != nil {
		return nil, err
	}
	k.store, k.close, k.control = store, store.Close, machine.Control(store)
	if err := k.stored(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return k, nil
}

// note is where the rows of this machine go; a stack's go to the vendors.
func (c somewhere) note() (note, error) {
	if c.Stack != "" {
		return note{}, nil
	}
	return readNote(c.Data)
}

// stored adds what was applied.
func (k *connections) stored(ctx context.Context) error {
	names, err := k.store.List(ctx)
	if err != nil {
		return fmt.Errorf("list syncs: %w", err)
	}
	for _, name := range names {
		v, err := k.store.Current(ctx, name)
		if errors.Is(err, run.ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return fmt.Errorf("read sync %q: %w", name, err)
		}
		k.versions = append(k.versions, v)
		uses := []string{v.Definition.Connection}
		for _, n := range v.Definition.Notifications {
			if n.Connection != "" {
				uses = append(uses, n.Connection)
			}
		}
		slices.Sort(uses)
		for _, used := range slices.Compact(uses) {
			k.applied[used] = append(k.applied[used], name)
			if _, there := k.all.Find(used); there {
				continue
			}
			stored, err := k.store.Connection(ctx, used)
			if errors.Is(err, run.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("read connection %q: %w", used, err)
			}
			k.all = append(k.all, stored.Connection)
		}
	}
	slices.SortFunc(k.all, func(a, b syncdef.Connection) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// pin is what is stored of a connection; the zero value where nothing is.
func (k *connections) pin(ctx context.Context, name string) (syncdef.Stored, error) {
	if k.store == nil {
		return syncdef.Stored{}, nil
	}
	stored, err := k.store.Connection(ctx, name)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return stored, fmt.Errorf("read connection %q: %w", name, err)
	}
	return stored, nil
}

// line is a connection as it stands.
func (k *connections) line(ctx context.Context, c syncdef.Connection) (listedConnection, error) {
	out := listedConnection{Connection: c.Name, Type: c.Type, State: connectionNew, Syncs: []string{}}
	stored, err := k.pin(ctx, c.Name)
	if err != nil || stored.Connection.Name == "" {
		return out, err
	}
	out.Account, out.Epoch, out.State = stored.Account, stored.Epoch, connectionOK
	out.Syncs = append(out.Syncs, k.applied[c.Name]...)
	p, err := k.store.Pace(ctx, c.Name)
	if err != nil {
		return out, fmt.Errorf("read the state of connection %q: %w", c.Name, err)
	}
	if p.Failing() {
		out.State, out.Since, out.Until, out.Reason, out.Person = connectionPaused, p.Since, p.Until, p.Reason, p.SetUp
	}
	return out, nil
}

// find is the connection of that name, or what there is instead.
func (k *connections) find(name string) (syncdef.Connection, error) {
	if c, ok := k.all.Find(name); ok {
		return c, nil
	}
	if len(k.all) == 0 && k.place != nil {
		return syncdef.Connection{}, fmt.Errorf("there is no connection %q: nothing is applied to the stack; run  %s apply --stack NAME", name, self())
	}
	if len(k.all) == 0 {
		return syncdef.Connection{}, fmt.Errorf("there is no connection %q: no connections.yaml is here; make one with  %s init  or pass --syncs DIR", name, self())
	}
	if near := syncdef.Nearest(name, k.all.Names()); near != "" {
		return syncdef.Connection{}, fmt.Errorf("there is no connection %q; did you mean %s?", name, near)
	}
	return syncdef.Connection{}, fmt.Errorf("there is no connection %q; there are: %s", name, strings.Join(k.all.Names(), ", "))
}
