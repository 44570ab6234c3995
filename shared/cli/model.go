package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	"github.com/penstock-data/penstock/sql"
)

// modelled are the flags of commands that read a sync's model on the embedded warehouse.
type modelled struct {
	Syncs     string `help:"The folder of definitions, whose NAME.sql becomes the model's view: syncs, or else sql/syncs, when not given." placeholder:"DIR"`
	Warehouse string `help:"Another DuckDB file than the folder's." placeholder:"FILE.duckdb"`
	gated
}

// model opens the warehouse, makes the sync's model a view where its SELECT stands in
// the folder of definitions, and answers its rows.
func (c modelled) model(ctx context.Context, sync, gateway string, did *touched) (*duckdb.Warehouse, relation, error) {
	d, text, err := c.find(ctx, sync)
	if err != nil {
		return nil, relation{}, err
	}
	name := d.Relation()
	path := c.Warehouse
	if path == "" {
		path = filepath.Join(c.Data, warehouseFile)
	}
	if text == "" || c.Warehouse != "" { // else the model may be the first thing in it
		if err := haveWarehouse(ctx, path, c.Data); err != nil {
			return nil, relation{}, err
		}
	}
	w, err := duckdb.Open(ctx, duckdb.Config{Path: path, Files: c.folder(), Gateway: gateway, Token: c.token(), Answered: did.answered, Repeats: did.again})
	if err != nil {
		return nil, relation{}, warehouseFault(err, path, c.Data)
	}
	r := relation{qualified(name)}
	if text != "" {
		err = c.unread(w.SetModel(ctx, name, text), sync, path)
	} else {
		err = c.missingModel(ctx, w, r, name, sync)
	}
	if err == nil {
		err = w.SetViews(ctx, &d)
	}
	if err != nil {
		return nil, r, errors.Join(err, w.Close())
	}
	return w, r, nil
}

// look opens the warehouse to be read only, and answers the rows of the sync's model: of
// its SELECT, of which no view is made, or of the relation.
func (c modelled) look(ctx context.Context, sync string) (*duckdb.Warehouse, relation, error) {
	d, text, err := c.find(ctx, sync)
	if err != nil {
		return nil, relation{}, err
	}
	name := d.Relation()
	path := c.Warehouse
	if path == "" {
		path = filepath.Join(c.Data, warehouseFile)
	}
	cfg := duckdb.Config{Path: path, ReadOnly: true, Files: c.folder()}
	if err := haveWarehouse(ctx, path, c.Data); err != nil {
		if text == "" || c.Warehouse != "" {
			return nil, relation{}, err
		}
		cfg = duckdb.Config{Files: c.folder()} // the model may read files alone
	}
	w, err := duckdb.Open(ctx, cfg)
	if err != nil {
		return nil, relation{}, warehouseFault(err, path, c.Data)
	}
	r := relation{qualified(name)}
	if text != "" {
		r.sql, err = w.Subquery(ctx, name, text)
		err = c.unread(err, sync, path)
	} else {
		err = c.missingModel(ctx, w, r, name, sync)
	}
	if err == nil {
		r.sql, err = sql.WithAlways(r.sql, d)
	}
	if err != nil {
		return nil, r, errors.Join(err, w.Close())
	}
	return w, r, nil
}

// unread says where a model reads a table that the warehouse does not have, and what to
// do; any other error stays as it is.
func (c modelled) unread(err error, sync, path string) error {
	missing, ok := errors.AsType[*duckdb.MissingTable](err)
	if !ok {
		return err
	}
	mend := "correct the name"
	if missing.Near != "" {
		mend += " (did you mean " + missing.Near + "?)"
	}
	file := path
	if c.Warehouse != "" {
		file = c.Warehouse
	}
	return fmt.Errorf("%s: the warehouse %s has no table or view %s, which the model of sync %s reads: %s, or make it, such as with  %s sql%s \"CREATE TABLE %[3]s AS FROM 'FILE.csv'\"",
		c.modelFile(sync), file, missing.Name, sync, mend, self(), somewhere{Data: c.Data}.flags())
}

// missingModel says what to do where the warehouse does not have the relation.
func (c modelled) missingModel(ctx context.Context, w *duckdb.Warehouse, r relation, name, sync string) error {
	_, err := columnsOf(ctx, w, r.sql)
	if err == nil {
		return nil
	}
	file := cmp.Or(c.Warehouse, filepath.Join(c.Data, warehouseFile))
	return fmt.Errorf("the warehouse %s has no table or view %s, the model of sync %s: put its SELECT into %[3]s.sql beside %[3]s.yaml, name another with model: in %[3]s.yaml and penstock apply, or push a file with --from (%[4]s)", file, name, sync, firstLine(err))
}

// find is the sync's definition as it is applied, its name alone where that is not known
// here, and its model's SELECT where the folder of definitions has one.
func (c modelled) find(ctx context.Context, sync string) (d syncdef.Definition, text string, err error) {
	d.Sync = sync
	var applied []string
	if haveState(c.Data) == nil {
		store, err := openState(c.Data)
		if err != nil {
			return d, "", err
		}
		v, err := store.Current(ctx, sync)
		names, listed := store.List(ctx)
		if err := errors.Join(notMissing(err), listed, store.Close()); err != nil {
			return d, "", fmt.Errorf("read sync %q: %w", sync, err)
		}
		applied = names
		if v.ID != "" {
			d = v.Definition
		}
	}
	text, err = c.selectOf(sync)
	if err == nil && text == "" && len(applied) > 0 && c.Gateway == "" && !slices.Contains(applied, sync) {
		return d, "", noSync(sync, applied)
	}
	return d, text, err
}

// noSync says that a sync is not applied, and which are.
func noSync(sync string, applied []string) error {
	if near := syncdef.Nearest(sync, applied); near != "" {
		return fmt.Errorf("there is no sync %q; did you mean %s?", sync, near)
	}
	return fmt.Errorf("there is no sync %q, or it is not applied: run %s apply; applied are: %s", sync, self(), strings.Join(applied, ", "))
}

// notMissing is err unless it says that there is nothing.
func notMissing(err error) error {
	if errors.Is(err, run.ErrNotFound) {
		return nil
	}
	return err
}

// folder is that of the definitions; "" where there is none.
func (c modelled) folder() string { return cmp.Or(c.Syncs, syncsFolder()) }

// modelFile is the path beside the sync's definition where its SELECT may stand.
func (c modelled) modelFile(sync string) string {
	if file, err := (definitions{Syncs: c.folder()}).find(sync); err == nil {
		return strings.TrimSuffix(file, filepath.Ext(file)) + ".sql"
	}
	return filepath.Join(c.folder(), sync+".sql")
}

// selectOf is the text of the sync's model file; "" where there is none.
func (c modelled) selectOf(sync string) (string, error) {
	if sync == "" || filepath.Base(sync) != sync {
		return "", usage("%q is no sync's name", sync)
	}
	if c.folder() == "" {
		return "", nil
	}
	file := c.modelFile(sync)
	src, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the model of sync %q: %w", sync, err)
	}
	text, fault := yamlfile.ModelText(file, src)
	if fault != nil {
		return "", *fault
	}
	return text, nil
}

// qualified quotes each part of a relation's name.
func qualified(name string) string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = identifier(parts[i])
	}
	return strings.Join(parts, ".")
}
