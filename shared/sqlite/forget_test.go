package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
)

// sourceMark is a text of the nth error's row.
func sourceMark(n int) string { return fmt.Sprintf("mark%04dmark", n) }

// storeMarked stores errors in the order of no key, each by itself, so that pages are split
// and rows are copied among them.
func storeMarked(t *testing.T, s *Store, errs int) (refs []string) {
	t.Helper()
	refs = make([]string, errs)
	for i := range errs {
		n := i * 7919 % errs
		e := run.RowError{
			Sync: "health", Run: "health.r1", Batch: fmt.Sprintf("b%04d", n), Key: "k", At: s.now(),
			Source: fmt.Appendf(nil, `{"id":%q,"x":%q}`, sourceMark(n), strings.Repeat("y", 500+n*37%700)),
		}
		if err := s.StoreErrors(t.Context(), []run.RowError{e}); err != nil {
			t.Fatal(err)
		}
		refs[n] = e.Ref()
	}
	return refs
}

// inFiles are the marked errors that the file and its write-ahead log have in plain text.
func inFiles(t *testing.T, path string, errs int) map[int]bool {
	t.Helper()
	found := map[int]bool{}
	for _, file := range []string{path, path + "-wal"} {
		b, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for n := range errs {
			found[n] = found[n] || bytes.Contains(b, []byte(sourceMark(n)))
		}
	}
	return found
}

// Nothing of a row that was deleted is in the file or its log, and everything of the others,
// also while another process has the file open and goes on with it.
func TestShred(t *testing.T) {
	const errs = 400
	path := filepath.Join(t.TempDir(), "penstock.db")
	s, other := mustOpen(t, path, newClock().now), mustOpen(t, path, newClock().now)
	refs := storeMarked(t, s, errs)
	commit := func(s *Store, key string) {
		t.Helper()
		if _, err := s.Commit(t.Context(), "t", []ledger.Entry{{Key: key}}); err != nil {
			t.Fatal(err)
		}
	}
	commit(s, "ann@acme.com")
	commit(other, "bob@acme.com")
	for n := 0; n < errs; n += 8 {
		if err := s.ForgetErrors(t.Context(), refs[n:n+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ForgetEntries(t.Context(), "t", []string{"ann@acme.com"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Shred(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := inFiles(t, path, errs)
	for n := range errs {
		if want := n%8 != 0; found[n] != want {
			t.Errorf("row %d is in the file: %v, want %v", n, found[n], want)
		}
	}
	if b, err := os.ReadFile(path); err != nil || bytes.Contains(b, []byte("ann@acme.com")) || !bytes.Contains(b, []byte("bob@acme.com")) {
		t.Errorf("the file has the key that was deleted, or lacks the other: %v", err)
	}
	for _, s := range []*Store{other, s} {
		commit(s, "carl@acme.com")
		if got, err := s.Entries(t.Context(), "t", []string{"ann@acme.com", "bob@acme.com", "carl@acme.com"}); err != nil || len(got) != 2 {
			t.Errorf("%d entries are there, want 2: %v", len(got), err)
		}
		if got, err := s.ErrorsByRef(t.Context(), "health", refs); err != nil || len(got) != errs*7/8 {
			t.Errorf("%d errors are there: %v", len(got), err)
		}
	}
}

// While another process reads what was there before, copies stay, and it is told; the next
// time they go. While it writes, nothing is done.
func TestShredBesideAnotherProcess(t *testing.T) {
	const errs = 40
	for _, begin := range []string{"BEGIN; SELECT count(*) FROM error", "BEGIN IMMEDIATE"} {
		path := filepath.Join(t.TempDir(), "penstock.db")
		s := mustOpen(t, path, newClock().now)
		s.patience = 0
		refs := storeMarked(t, s, errs)
		if err := s.ForgetErrors(t.Context(), refs[:1]); err != nil {
			t.Fatal(err)
		}
		other, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := other.script(begin); err != nil {
			t.Fatal(err)
		}
		if err := s.Shred(t.Context()); !errors.Is(err, errBusy) {
			t.Errorf("%s: %v, want %v", begin, err, errBusy)
		}
		if err := errors.Join(other.script("COMMIT"), s.Shred(t.Context()), other.close()); err != nil {
			t.Fatal(err)
		}
		if found := inFiles(t, path, errs); found[0] || !found[1] {
			t.Errorf("%s: afterwards the deleted row is in the file: %v, and another: %v", begin, found[0], found[1])
		}
	}
}
