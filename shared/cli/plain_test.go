package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/penstock-data/penstock/shared/sqlite"
)

// What this machine refuses is one line, with what to do.
func TestRemedies(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("store run: %w", sqlite.ErrFull), "store run: the disk is full: free some space on it"},
		{&fs.PathError{Op: "write", Path: "d/penstock.log", Err: syscall.ENOSPC}, "no space left on device: free some space"},
		{errors.New("IO Error: Could not write file \"d/warehouse.duckdb\":\nNo space left on device"), "free some space"},
		{fmt.Errorf("open store: %w", &fs.PathError{Op: "open", Path: "d/penstock.db", Err: syscall.EROFS}), "give yourself the right to write there"},
		{fmt.Errorf("open store: %w", &fs.PathError{Op: "open", Path: "d/penstock.db", Err: syscall.EACCES}), "give yourself the right to write there"},
		{errors.New("IO Error: Cannot open file \"d/w.duckdb\": Permission denied"), "give yourself the right to write there"},
		{fmt.Errorf("open store d/penstock.db: %w", sqlite.ErrReadOnly), "give yourself the right to write there"},
		{fmt.Errorf("open store d/penstock.db: %w", sqlite.ErrForeign), "move the file away"},
		{fmt.Errorf("open store d/penstock.db: %w", sqlite.ErrDamaged), "put a copy of the folder back"},
		{warehouseFault(errors.New(`open warehouse "d/w.duckdb": IO Error: The file "d/w.duckdb" exists, but it is not a valid DuckDB database file`), "d/w.duckdb", "d"), "d/w.duckdb is no DuckDB file: move it away"},
		{warehouseFault(errors.New("IO Error: Corrupt database file: computed checksum 1 does not match\nstored checksum 2"), "d/w.duckdb", "d"), "d/w.duckdb is damaged"},
		{warehouseFault(errors.New("IO Error: Could not set lock on file \"x\": Conflicting lock"), "d/w.duckdb", "d"), "the warehouse in d is open in another process"},
	} {
		if got := plain(c.err); !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%v\n%s\nwant %s", c.err, got, c.want)
		}
	}
	if got := plain(errors.New("anything else")); got != "anything else" {
		t.Error(got)
	}
}
