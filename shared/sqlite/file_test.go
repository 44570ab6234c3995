package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestOnlyTheOwnerMayRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "penstock.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path, newClock().now)
	if _, err := s.Commit(t.Context(), "t", []ledger.Entry{{Key: "k"}}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %04o, want 0600", filepath.Base(path+suffix), info.Mode().Perm())
		}
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none", "penstock.db"), time.Now); err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is absent: got %v", err)
	}
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(text, time.Now); err == nil || !strings.Contains(err.Error(), "not a state of Penstock") {
		t.Errorf("a file that is no database: got %v", err)
	}
	newer := filepath.Join(dir, "newer.db")
	s, err := Open(newer, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.write(t.Context(), func(c *conn) error { return c.script("PRAGMA user_version=99") }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(newer, time.Now); err == nil || !strings.Contains(err.Error(), "layout 99, this program knows layout 14") {
		t.Errorf("a newer layout: got %v", err)
	}
}

func TestClosedAndCancelled(t *testing.T) {
	s, err := Open("", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.List(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.List(t.Context()); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("closed: got %v", err)
	}
}

// Two stores over one file stand for two processes: SQLite tells them apart by
// connection. Each must see what the other wrote, names in the ledger included.
func TestTwoProcesses(t *testing.T) {
	for _, most := range []int{1, 7, lateMost} {
		t.Run(fmt.Sprint("sorted in at ", most), func(t *testing.T) { testTwoProcesses(t, most) })
	}
}

func testTwoProcesses(t *testing.T, most int) {
	c, path := newClock(), filepath.Join(t.TempDir(), "penstock.db")
	both := []*Store{mustOpen(t, path, c.now), mustOpen(t, path, c.now)}
	both[0].waits(most)
	both[1].waits(most)
	ctx := t.Context()
	const rounds = 40
	var g errgroup.Group
	firsts := make([]int, 2)
	if _, _, err := both[0].PinBatch(ctx, run.Batch{Run: "health.1", ID: "b"}); err != nil {
		t.Fatal(err)
	}
	for who, s := range both {
		g.Go(func() error {
			for n := range rounds {
				entries := []ledger.Entry{
					{Key: "shared", Last: ledger.Last{Sequence: int64(n), Run: fmt.Sprintf("health.%d-%d", who, n)}},
					{Key: fmt.Sprint("own ", who, n), Last: ledger.Last{Sequence: 1, Run: fmt.Sprintf("health.%d-%d", who, n)}},
				}
				if _, err := s.Commit(ctx, fmt.Sprint("target ", n%3), entries); err != nil {
					return err
				}
				if _, err := s.Send(ctx, "q", []envelope.Message{{Group: fmt.Sprint(who), Dedup: fmt.Sprint(who, "#", n), Body: []byte("x")}}); err != nil {
					return err
				}
				first, err := s.RecordChunk(ctx, "health.1", "b", n, run.Chunk{})
				if err != nil {
					return err
				}
				if first {
					firsts[who]++
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if firsts[0]+firsts[1] != rounds {
		t.Errorf("%d and %d chunks were first, want %d in all (I2)", firsts[0], firsts[1], rounds)
	}
	for reader, s := range both {
		for n := range rounds {
			for who := range both {
				key := fmt.Sprint("own ", who, n)
				got, err := s.Entries(ctx, fmt.Sprint("target ", n%3), []string{key})
				if err != nil {
					t.Fatal(err)
				}
				if want := fmt.Sprintf("health.%d-%d", who, n); got[key].Last.Run != want {
					t.Errorf("store %d reads %q as the run of %q, want %q", reader, got[key].Last.Run, key, want)
				}
			}
		}
		if n, err := s.Depth(ctx, "q"); err != nil || n != 2*rounds {
			t.Errorf("depth %d, %v, want %d", n, err, 2*rounds)
		}
	}
}

// What a transaction that failed had numbered must not be remembered.
func TestNamesOfAFailedTransaction(t *testing.T) {
	s := mustOpen(t, "", newClock().now)
	failure := errors.New("late failure")
	err := s.write(t.Context(), func(c *conn) error {
		s.touched = true
		if _, err := s.names.target(c, "t", true); err != nil {
			return err
		}
		if _, err := s.names.id(c, &ledger.Entry{Last: ledger.Last{Run: "gone"}}); err != nil {
			return err
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatal(err)
	}
	for _, e := range []ledger.Entry{{Key: "a", Last: ledger.Last{Run: "kept"}}, {Key: "b", Last: ledger.Last{Run: "gone"}}} {
		if _, err := s.Commit(t.Context(), e.Key, []ledger.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string]string{"a": "kept", "b": "gone"} {
		got, err := s.Entries(t.Context(), key, []string{key})
		if err != nil || got[key].Last.Run != want {
			t.Errorf("%s: got %+v, %v", key, got[key], err)
		}
	}
}

// The rows of every table after one call of each kind, as text.
func TestRowsGolden(t *testing.T) {
	c := newClock()
	s := mustOpen(t, "", c.now)
	ctx, at := t.Context(), c.now()
	r := run.Run{ID: "health.1", Sync: "health", Version: "v1", Mode: run.Full, Bracketed: true, Status: run.Open, BegunAt: at, Expected: -1}
	commit := func(e ledger.Entry) error {
		_, err := s.Commit(ctx, "health#sf#Account", []ledger.Entry{e})
		return err
	}
	steps := []func() error{
		func() error {
			return s.Apply(ctx, syncdef.Version{ID: "v1", AppliedAt: at, Definition: syncdef.Definition{Sync: "health"}})
		},
		func() error { _, err := s.NextSequence(ctx, "health"); return err },
		func() error { return s.PutConnection(ctx, syncdef.Connection{Name: "sf", Type: "salesforce"}) },
		func() error { _, err := s.AcceptAccount(ctx, "sf", "org1"); return err },
		func() error {
			return s.SetPace(ctx, "sf", pace.State{Since: at, Until: at.Add(time.Hour), Code: "c", Reason: "why"})
		},
		func() error { return s.BeginRun(ctx, r, "") },
		func() error {
			return s.CompleteRun(ctx, r, run.Mark{Sync: "health", Target: "health#sf#Account", Column: "updated", Value: `"2026-03-14"`, At: at})
		},
		func() error { return s.SetHalt(ctx, run.Halt{Sync: "health", Version: "v1", Since: at, Next: at}) },
		func() error {
			return s.SetAlerts(ctx, alert.Book{Sync: "health", Open: []alert.Open{{Kind: alert.Overdue, Since: at, Told: at, Times: 1}}})
		},
		func() error {
			_, _, err := s.PinBatch(ctx, run.Batch{Run: "health.1", ID: "b1", Sync: "health", Version: "v1", Sequence: 7, At: at, Chunks: 2, Rows: []byte("01")})
			return err
		},
		func() error { return s.MarkSent(ctx, "health.1", "b1") },
		func() error { return s.StartChunk(ctx, "health.1", "b1", 0, run.Start{Receives: 2, At: at, Row: -1}) },
		func() error {
			_, err := s.RecordChunk(ctx, "health.1", "b1", 1, run.Chunk{At: at, Counts: run.Counts{Delivered: 2}})
			return err
		},
		func() error {
			return commit(ledger.Entry{Key: "k", Claim: "r 1", Held: ledger.Held{Version: "v1", Sequence: 7}, Last: ledger.Last{Run: "health.1", Sequence: 7}})
		},
		func() error {
			return commit(ledger.Entry{Key: "l", Claim: "r 2", Held: ledger.Held{Version: "v1"}, Last: ledger.Last{Run: "health.1", Sequence: 8}})
		},
		func() error {
			return commit(ledger.Entry{Key: "waits", Claim: "r 3", Held: ledger.Held{Version: "v2"}, Last: ledger.Last{Run: "health.2", Sequence: 9}})
		},
		func() error {
			return s.StoreErrors(ctx, []run.RowError{{Sync: "health", Run: "health.1", Batch: "b1", Row: 3, Attempts: 1, At: at, Source: []byte(`{"n":1}`)}})
		},
		func() error {
			return s.StoreDue(ctx, []run.Due{{Sync: "health", At: at, Run: "health.1", Batch: "b1", By: "health.1#b1#1", Attempts: 1, Rows: []int{3}}})
		},
		func() error {
			_, _, err := s.Lease(ctx, "sf", []pace.Window{{Calls: 10, Per: time.Hour}}, 2, at)
			return err
		},
		func() error { return s.Slow(ctx, "sf", at) },
		func() error {
			_, err := s.Send(ctx, "salesforce", []envelope.Message{{Group: "health#0", Dedup: "health.1#b1#0", Body: []byte("KLUv")}})
			return err
		},
	}
	s.waits(2) // two entries sorted in, one waiting
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	var b strings.Builder
	for _, table := range []string{"version", "sync", "connection", "pace", "halt", "alert", "mark", "run", "batch", "chunk", "target", "origin", "ledger", "pending", "claim", "claimed", "error", "due", "bucket", "message", "body", "dedup"} {
		fmt.Fprintf(&b, "# %s\n", table)
		if err := s.read(ctx, func(c *conn) error {
			columns := ""
			if err := c.query(func(q *stmt) error { columns += ",quote(" + q.text(0) + ")"; return nil },
				"SELECT name FROM pragma_table_info(?1)", table); err != nil {
				return err
			}
			if table == "version" {
				columns = strings.ReplaceAll(columns, ",quote(body)", "") // syncdef's golden file holds it
			}
			return c.query(func(q *stmt) error { fmt.Fprintln(&b, q.text(0)); return nil },
				"SELECT concat_ws(' | '"+columns+") FROM "+table)
		}); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "rows", b.String())
}

// What a killed process had in hand comes again at once, counted as received twice.
func TestRelease(t *testing.T) {
	s := mustOpen(t, "", newClock().now)
	if _, err := s.Send(t.Context(), "q", []envelope.Message{{Group: "a", Dedup: "1", Body: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 0, 1} {
		if i == 2 {
			if err := s.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Receive(t.Context(), "q", 10, time.Hour)
		if err != nil || len(got) != want {
			t.Fatalf("receive %d: got %d messages, %v, want %d", i, len(got), err, want)
		}
		if i == 2 && got[0].Receives != 2 {
			t.Errorf("received %d times, want 2", got[0].Receives)
		}
	}
}

// A failing connection is tried at once by who restarts; the tokens that were spent
// stay spent.
func TestReleaseLetsConnectionsBeTried(t *testing.T) {
	c := newClock()
	s := mustOpen(t, "", c.now)
	limits := []pace.Window{{Calls: 100, Per: 24 * time.Hour}}
	granted, _, err := s.Lease(t.Context(), "salesforce", limits, 49, c.now())
	if err != nil || granted != 49 {
		t.Fatalf("first lease: %d, %v, want 49", granted, err)
	}
	if err := s.SetPace(t.Context(), "salesforce", pace.State{}.Fail(c.now(), time.Hour, "login", "why")); err != nil {
		t.Fatal(err)
	}
	if err := s.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	state, err := s.Pace(t.Context(), "salesforce")
	if err != nil {
		t.Fatal(err)
	}
	if next, probe, wait := state.May(c.now()); !probe || wait != 0 || state.Reason != "why" {
		t.Errorf("released: %+v: probe %t, wait %s, want a probe at once", state, probe, wait)
	} else if err := s.SetPace(t.Context(), "salesforce", next); err != nil {
		t.Errorf("the probe cannot be claimed: %v", err)
	}
	if granted, _, err := s.Lease(t.Context(), "salesforce", limits, 2, c.now()); err != nil || granted != 1 {
		t.Errorf("released: %d granted, %v, want the 1 that is left of the burst", granted, err)
	}
}

// What waits is bounded, also where no process lives long enough to sort all of it in, and
// where few keys change again and again.
func TestWhatWaitsIsBounded(t *testing.T) {
	const most, each = 100, 10
	for name, key := range map[string]func(n int) string{
		"ever new keys": func(n int) string { return fmt.Sprint("k", n) },
		"a few keys":    func(n int) string { return fmt.Sprint("k", n%each) },
	} {
		t.Run(name, func(t *testing.T) {
			c, path := newClock(), filepath.Join(t.TempDir(), "penstock.db")
			for process := range 60 {
				s := mustOpen(t, path, c.now)
				s.waits(most)
				entries := make([]ledger.Entry, each)
				for i := range entries {
					n := int64(process*each + i)
					entries[i] = ledger.Entry{Key: key(int(n)), Last: ledger.Last{Sequence: n + 1}, Revision: 1 << 40}
				}
				if _, err := s.Commit(t.Context(), "t", entries); err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil { // before what it holds is looked at: it may sort in
					t.Fatal(err)
				}
				if waits := s.late.old.taken + s.late.young.taken; waits > 2*most {
					t.Fatalf("process %d: %d entries wait", process, waits)
				}
			}
			s := mustOpen(t, path, c.now)
			last := int64(60*each - 1)
			got, err := s.Entries(t.Context(), "t", []string{key(int(last)), key(0)})
			if err != nil || got[key(int(last))].Last.Sequence != last+1 || len(got) != 2 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// Errors and their sources go 30 days after they were stored last, with or without further
// ones.
func TestErrorsExpire(t *testing.T) {
	c, path := newClock(), filepath.Join(t.TempDir(), "penstock.db")
	s := mustOpen(t, path, c.now)
	ctx := t.Context()
	store := func(row, attempts int) {
		e := run.RowError{Sync: "health", Run: "health.1", Batch: "b1", Row: row, Attempts: attempts, At: c.now(), Source: []byte(`{"n":1}`)}
		if err := s.StoreErrors(ctx, []run.RowError{e}); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(want ...int) {
		t.Helper()
		got, _, err := s.RunErrors(ctx, "health.1", 100, "")
		var rows []int
		for _, e := range got {
			rows = append(rows, e.Row)
		}
		if err != nil || !slices.Equal(rows, want) {
			t.Errorf("rows %v, %v, want %v", rows, err, want)
		}
	}
	store(1, 1)
	store(2, 1)
	c.advance(20 * 24 * time.Hour)
	store(2, 2) // it has failed again
	c.advance(10*24*time.Hour + time.Second)
	holds(1, 2)
	if err := s.SetPause(ctx, run.Pause{Sync: "other"}); err != nil { // whatever is written
		t.Fatal(err)
	}
	holds(2)
	store(3, 1)
	holds(2, 3)
	c.advance(20 * 24 * time.Hour)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path, c.now)
	holds(3)
	listed := 0
	if err := s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { listed = int(q.int(0)); return nil }, "SELECT count(*) FROM error_list")
	}); err != nil || listed != 2 {
		t.Errorf("%d entries in the lists, %v", listed, err)
	}
}
