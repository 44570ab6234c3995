package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// warehouseFile is the embedded warehouse.
const warehouseFile = "warehouse.duckdb"

// haveWarehouse says what to do where a folder has no warehouse.
func haveWarehouse(path, dir string) error {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no warehouse in %s: make one with  %s demo --data %[1]s  or  %[2]s local --data %[1]s", dir, self())
	}
	if err != nil {
		return fmt.Errorf("look for the warehouse in %s: %w", dir, err)
	}
	return nil
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
