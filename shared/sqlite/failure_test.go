package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
)

// pragma sets a connection's property outside of a transaction.
func pragma(t *testing.T, s *Store, text string) {
	t.Helper()
	c := <-s.turn
	defer func() { s.turn <- c }()
	if err := c.script(text); err != nil {
		t.Fatal(err)
	}
}

// writes are calls of each kind, which must fail whole.
func writes(t *testing.T, s *Store, n int) map[string]error {
	ctx := t.Context()
	large := strings.Repeat("x", 40_000)
	var entries []ledger.Entry
	var errs []run.RowError
	var msgs []envelope.Message
	for i := range 20 {
		entries = append(entries, ledger.Entry{Key: fmt.Sprint("key", i), Held: ledger.Held{ID: large, Version: fmt.Sprint("v", n)}, Last: ledger.Last{Sequence: int64(n)}})
		errs = append(errs, run.RowError{Sync: "health", At: s.now(), Run: "health.1", Batch: "b1", Row: i, Attempts: n, Message: large})
		msgs = append(msgs, envelope.Message{Group: "g", Dedup: fmt.Sprint(n, "#", i), Body: []byte(large)})
	}
	out := map[string]error{}
	_, out["commit"] = s.Commit(ctx, "t", entries)
	out["errors"] = s.StoreErrors(ctx, errs)
	accepted, err := s.Send(ctx, "q", msgs)
	if out["send"] = err; err != nil && strings.Contains(fmt.Sprint(accepted), "true") {
		t.Errorf("Send failed and says accepted: %v", accepted)
	}
	_, out["chunk"] = s.RecordChunk(ctx, "health.1", "b1", n, run.Chunk{Hold: strings.Repeat(large, 20)})
	return out
}

func wantAll(t *testing.T, errs map[string]error, text string) {
	t.Helper()
	for name, err := range errs {
		if text == "" && err != nil || text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
			t.Errorf("%s: got %v, want %q", name, err, text)
		}
	}
}

// stored checks that the writes of round n are what is there, whole.
func stored(t *testing.T, s *Store, n, sent int) {
	t.Helper()
	ctx := t.Context()
	got, err := s.Entries(ctx, "t", []string{"key0", "key19"})
	if err != nil || got["key0"].Last.Sequence != int64(n) || got["key19"].Held.Version != fmt.Sprint("v", n) {
		t.Errorf("ledger: %d of %s, %v, want round %d", got["key0"].Last.Sequence, got["key19"].Held.Version, err, n)
	}
	errs, _, err := s.RunErrors(ctx, "health.1", 100, "")
	if err != nil || len(errs) != 20 || errs[0].Attempts != n || errs[19].Attempts != n {
		t.Errorf("%d errors, %v, want 20 of round %d", len(errs), err, n)
	}
	if depth, err := s.Depth(ctx, "q"); err != nil || depth != sent {
		t.Errorf("%d messages, %v, want %d", depth, err, sent)
	}
	for i := 1; i <= n+1; i++ {
		if c, err := s.Chunk(ctx, "health.1", "b1", i); err != nil || c.Done != (i <= n) {
			t.Errorf("chunk %d: done %t, %v", i, c.Done, err)
		}
	}
}

// A full disk fails each write whole, and nothing is remembered of it.
func TestFullDisk(t *testing.T) {
	for _, most := range []int{1, lateMost} {
		s := mustOpen(t, filepath.Join(t.TempDir(), "penstock.db"), newClock().now)
		s.waits(most)
		wantAll(t, writes(t, s, 1), "")
		pragma(t, s, "PRAGMA max_page_count=1") // it stays at what the file has
		wantAll(t, writes(t, s, 2), "the disk is full")
		stored(t, s, 1, 20)
		pragma(t, s, "PRAGMA max_page_count=1000000")
		wantAll(t, writes(t, s, 2), "")
		stored(t, s, 2, 40)
	}
}

// Another process that holds the file for too long fails each write, and no read.
func TestBusyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "penstock.db")
	s, other := mustOpen(t, path, newClock().now), mustOpen(t, path, newClock().now)
	wantAll(t, writes(t, s, 1), "")
	pragma(t, s, "PRAGMA busy_timeout=1")
	pragma(t, other, "BEGIN IMMEDIATE")
	wantAll(t, writes(t, s, 2), "locked by another process")
	stored(t, s, 1, 20)
	pragma(t, other, "ROLLBACK")
	wantAll(t, writes(t, s, 2), "")
	stored(t, s, 2, 40)
}

// A panic in a caller's hands leaves no transaction open.
func TestPanicInside(t *testing.T) {
	s := mustOpen(t, "", newClock().now)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.write(t.Context(), func(c *conn) error {
			if _, err := c.exec("INSERT INTO target (name) VALUES ('half')"); err != nil {
				return err
			}
			panic("in the middle")
		})
	}()
	wantAll(t, writes(t, s, 1), "")
	stored(t, s, 1, 20)
	err := s.read(t.Context(), func(c *conn) error {
		return c.query(func(*stmt) error { return errors.New("half a transaction was stored") }, "SELECT 1 FROM target WHERE name = 'half'")
	})
	if err != nil {
		t.Error(err)
	}
}

// A read that finds nothing costs nobody the ledger's memory of what waits.
func TestNotFoundForgetsNothing(t *testing.T) {
	s := mustOpen(t, "", newClock().now)
	wantAll(t, writes(t, s, 1), "")
	before := len(s.late.young.all)
	if _, err := s.Run(t.Context(), "none"); !errors.Is(err, run.ErrNotFound) {
		t.Fatal(err)
	}
	if err := s.SetMark(t.Context(), run.Mark{Revision: 7}); !errors.Is(err, run.ErrConflict) {
		t.Fatal(err)
	}
	if len(s.late.young.all) != before || before == 0 {
		t.Errorf("%d entries wait in memory, %d before", len(s.late.young.all), before)
	}
}

// What a clock that stood a day ahead hid, sent and remembered holds nobody up.
func TestQueueClock(t *testing.T) {
	c := newClock()
	s := mustOpen(t, "", c.now)
	ctx := t.Context()
	send := func(id string) {
		t.Helper()
		if _, err := s.Send(ctx, "q", []envelope.Message{{Group: "a", Dedup: id, Body: []byte(id)}}); err != nil {
			t.Fatal(err)
		}
	}
	receive := func(want ...string) {
		t.Helper()
		got, err := s.Receive(ctx, "q", 10, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		var bodies []string
		for _, d := range got {
			bodies = append(bodies, string(d.Body))
		}
		if fmt.Sprint(bodies) != fmt.Sprint(want) {
			t.Errorf("received %v, want %v", bodies, want)
		}
	}
	send("1")
	c.advance(24 * time.Hour)
	send("2")
	receive("1", "2")
	c.advance(-24 * time.Hour)
	receive("1", "2") // nothing is hidden for a day
	receive()
	send("3")
	send("2") // remembered by a clock a day ahead: it is another message
	if n, err := s.Depth(ctx, "q"); err != nil || n != 4 {
		t.Errorf("depth %d, %v, want 4", n, err)
	}
	c.advance(-2 * time.Hour)
	send("4")
	receive() // the clock stepped back: what is hidden stays so, within 12 hours
	c.advance(4 * time.Hour)
	receive("1", "2", "3", "2", "4")
}
