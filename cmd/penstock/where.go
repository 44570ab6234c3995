package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// whereFile notes where the rows of a data folder are: its ledger says what the
// destination there holds, and is wrong of any other one.
const whereFile = "destinations.json"

// Where rows go that go to no given URL.
const (
	ownSimulator = "simulator"  // of this folder
	ownURL       = "connection" // the connection's
)

// A where says for each destination type where its rows go: a URL, ownSimulator or
// ownURL. A type whose rows have gone nowhere yet is absent.
type where map[string]string

// readWhere reads a folder's note; empty when there is none.
func readWhere(dir string) (where, error) {
	text, err := os.ReadFile(filepath.Join(dir, whereFile))
	if errors.Is(err, fs.ErrNotExist) {
		return where{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read where the rows of %s are: %w", dir, err)
	}
	var w where
	if err := json.Unmarshal(text, &w); err != nil || w == nil {
		return nil, fmt.Errorf("read where the rows of %s are: %s is no JSON object of texts", dir, whereFile)
	}
	return w, nil
}

// write notes it, in one step, so that a killed process leaves the old note.
func (w where) write(dir string) error {
	text, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return fmt.Errorf("note where the rows of %s are: %w", dir, err)
	}
	path := filepath.Join(dir, whereFile)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("note where the rows of %s are: %w", dir, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("note where the rows of %s are: %w", dir, err)
	}
	return nil
}

// where decides where rows go: where a flag says, else where the folder's rows are.
func (c localCmd) where(known destinations) (where, error) {
	noted, err := readWhere(c.Data)
	if err != nil {
		return nil, err
	}
	out := where{}
	for _, kind := range known.names() {
		switch {
		case c.Endpoint[kind] != "":
			out[kind] = c.Endpoint[kind]
		case noted[kind] != "" && !(c.Bare && noted[kind] == ownSimulator):
			out[kind] = noted[kind]
		case c.Bare:
			out[kind] = ownURL
		default:
			out[kind] = ownSimulator
		}
	}
	return out, nil
}

// checkEndpoints refuses an endpoint that no worker would use.
func (c localCmd) checkEndpoints(known destinations) error {
	for _, kind := range slices.Sorted(maps.Keys(c.Endpoint)) {
		to := c.Endpoint[kind]
		if err := known.check("endpoint", kind, to); err != nil {
			return err
		}
		if to == ownURL || to == ownSimulator && !c.Bare {
			continue
		}
		if u, err := url.Parse(to); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return fmt.Errorf("--endpoint %s=%s: write a URL with its host, as %s=http://127.0.0.1:8788, or %s or %s", kind, to, kind, ownSimulator, ownURL)
		}
	}
	return nil
}

// keep notes where rows go from now on. Where that is another place than before, the
// ledger may be wrong of it: only a connection that knows its account may move, since
// it delivers to no other one.
func (w where) keep(ctx context.Context, dir string, store *sqlite.Store) error {
	noted, err := readWhere(dir)
	if err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(w)) {
		if noted[kind] == "" || noted[kind] == w[kind] {
			continue
		}
		connections, pinned, err := connectionsOf(ctx, store, kind)
		if err != nil {
			return err
		}
		if pinned || len(connections) == 0 {
			continue
		}
		return fmt.Errorf("the rows of %[1]s go to %[3]s (%[2]s), and %[4]s may hold others: give another --data, or --endpoint %[2]s=%[3]s; or start anew with  penstock connect %[5]s --accept-account --data %[1]s",
			dir, kind, noted[kind], w[kind], connections[0])
	}
	if maps.Equal(noted, w) {
		return nil
	}
	maps.Copy(noted, w)
	return noted.write(dir)
}

// connectionsOf are the connections of a type that applied syncs use, and whether
// one of them knows which account it delivers to.
func connectionsOf(ctx context.Context, store *sqlite.Store, kind string) (names []string, pinned bool, err error) {
	syncs, err := store.List(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("list syncs: %w", err)
	}
	for _, name := range syncs {
		v, err := store.Current(ctx, name)
		if err != nil {
			return nil, false, fmt.Errorf("read sync %q: %w", name, err)
		}
		if v.Rules.Type != kind {
			continue
		}
		names = append(names, v.Definition.Connection)
		c, err := store.Connection(ctx, v.Definition.Connection)
		if err != nil && !errors.Is(err, run.ErrNotFound) {
			return nil, false, fmt.Errorf("read connection %q: %w", v.Definition.Connection, err)
		}
		pinned = pinned || c.Account != ""
	}
	return names, pinned, nil
}
