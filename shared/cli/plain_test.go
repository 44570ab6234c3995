package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

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
		{fmt.Errorf("open store: %w", &fs.PathError{Op: "open", Path: "d/penstock.db", Err: syscall.EROFS}), "give yourself the right to read and write there (chmod -R u+rwX), or name another folder"},
		{fmt.Errorf("open store: %w", &fs.PathError{Op: "open", Path: "d/penstock.db", Err: syscall.EACCES}), "give yourself the right to read and write there (chmod -R u+rwX), or name another folder"},
		{errors.New("IO Error: Cannot open file \"d/w.duckdb\": Permission denied"), "give yourself the right to read and write there (chmod -R u+rwX), or name another folder"},
		{fmt.Errorf("open store d/penstock.db: %w", sqlite.ErrReadOnly), "give yourself the right to read and write there (chmod -R u+rwX), or name another folder"},
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

// A statement that waits says what it waits for, and of a full disk what to do.
func TestAskedAgain(t *testing.T) {
	failed := errors.New("penstock_push: the gateway answered 500: Internal Server Error")
	for full, want := range map[bool]string{
		false: "penstock_push: the gateway answered 500: Internal Server Error: it is asked again for up to two minutes",
		true:  "penstock_push: the gateway answered 500: Internal Server Error: it is asked again for up to two minutes; the disk that holds data is full: free some space on it; what is stored is whole",
	} {
		if got := askedAgain(failed, "data", full); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	var out bytes.Buffer
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	again := program{err: &out, clock: clock{now: func() time.Time { return now }}}.again(t.TempDir())
	for outage := range 2 {
		for range 3 {
			again(failed)
		}
		if n := strings.Count(out.String(), "\n"); n != outage+1 {
			t.Errorf("outage %d: told %d times", outage, n)
		}
		now = now.Add(time.Minute)
	}
}
