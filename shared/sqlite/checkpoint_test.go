package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/ledger"
)

// A log is begun anew after each checkpoint, and all that was committed is in the file.
func TestCheckpoints(t *testing.T) {
	const pages, commits, each = 20, 200, 50
	c, path := newClock(), filepath.Join(t.TempDir(), "penstock.db")
	s := mustOpen(t, path, c.now)
	s.checkpoints.every = pages
	s.waits(500)
	var keys []string
	for n := range commits {
		entries := make([]ledger.Entry, each)
		for i := range entries {
			entries[i] = ledger.Entry{Key: fmt.Sprintf("key %d of commit %d", i, n)}
			keys = append(keys, entries[i].Key)
		}
		if _, err := s.Commit(t.Context(), "t", entries); err != nil {
			t.Fatal(err)
		}
		s.beside.Wait()
	}
	log, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	// A commit may write every page of the table, and those of before it are fewer than pages.
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if written := s.checkpoints.pages; written < 20*pages || log.Size() > 2*info.Size()+pages*8192 {
		t.Errorf("%d pages were written; the log has %d bytes, the file %d", written, log.Size(), info.Size())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, path, c.now)
	found, err := again.Entries(t.Context(), "t", keys)
	if err != nil || len(found) != len(keys) {
		t.Errorf("%d of %d entries, %v", len(found), len(keys), err)
	}
}

// Closing waits for the checkpoint that is on its way.
func TestCloseInACheckpoint(t *testing.T) {
	for range 20 {
		s := mustOpen(t, filepath.Join(t.TempDir(), "penstock.db"), newClock().now)
		s.checkpoints.every = 1
		var g errgroup.Group
		for i := range 4 {
			g.Go(func() error {
				_, err := s.Commit(t.Context(), "t", []ledger.Entry{{Key: fmt.Sprint(i)}})
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
