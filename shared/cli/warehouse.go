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

	"github.com/penstock-data/penstock/shared/sample"
)

// warehouseFile is the embedded warehouse.
const warehouseFile = "warehouse.duckdb"

// haveWarehouse says what to do where a warehouse is not there: one that was named, or a
// folder's own.
func haveWarehouse(ctx context.Context, path, dir string) error {
	if path != filepath.Join(dir, warehouseFile) {
		return readable(path)
	}
	_, err := os.Stat(path)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look for the warehouse in %s: %w", dir, err)
	case ownProject(ctx, dir):
		return fmt.Errorf("there is no warehouse in %s: make one with its first table, such as  %s sql%s \"CREATE TABLE NAME AS FROM 'FILE.csv'\"", dir, self(), somewhere{Data: dir}.flags())
	}
	return fmt.Errorf("there is no warehouse in %s: make one with  %s demo --data %[1]s  or  %[2]s local --data %[1]s", dir, self())
}

// ownProject reports whether a folder is one of penstock init or apply, without the
// sample's syncs: what is in its warehouse its owner makes.
func ownProject(ctx context.Context, dir string) bool {
	if haveState(dir) != nil {
		_, err := os.Stat(filepath.Join(dir, noteFile))
		return err == nil
	}
	store, err := openState(dir)
	if err != nil {
		return false
	}
	applied, err := store.List(ctx)
	return errors.Join(err, store.Close()) == nil && !slices.Contains(applied, sample.AccountHealth)
}

// inUse reports whether DuckDB could not open a file because another process has it.
func inUse(err error) bool { return strings.Contains(err.Error(), "Could not set lock on file") }

// warehouseFault says in one line what DuckDB says about a file that it cannot open,
// and what to do.
func warehouseFault(err error, path, dir string) error {
	text := err.Error()
	switch {
	case inUse(err):
		return fmt.Errorf("the warehouse in %s is open in another process (penstock sql, push or demo): only one at a time can have it", dir)
	case strings.Contains(text, "not a valid DuckDB database"), strings.Contains(text, "sqlite_scanner"): // SQLite's
		return fmt.Errorf("%s is no DuckDB file: move it away", path)
	case strings.Contains(text, "newer version of DuckDB") || strings.Contains(text, "storage version"):
		return fmt.Errorf("%s was written by another version of DuckDB: open it with that one and EXPORT DATABASE", path)
	case strings.Contains(text, "orrupt") || strings.Contains(text, "checksum") || strings.Contains(text, "Could not read enough bytes") || strings.Contains(text, "Serialization Error"):
		return fmt.Errorf("%s is damaged (%s): put a copy back, or move it away; the state of the syncs is not in it", path, oneLine(firstLine(err)))
	}
	return err
}
