package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
)

// batch is how many entries a worker with full hands reads and commits at once.
const batch = 5000

// benchEntries makes n entries of the size that a Salesforce sync has. Their
// keys are scattered, the hard case for a sorted table.
func benchEntries(n int) []ledger.Entry {
	entries := make([]ledger.Entry, n)
	for i := range entries {
		entries[i] = ledger.Entry{
			Key: fmt.Sprintf("%08x.example.com", uint32(i)*2654435761),
			Held: ledger.Held{
				Fingerprint: row.Fingerprint{byte(i), 1}, Fields: []uint32{1, 2, 3, 4, 5},
				Version: "v0123456789ab", ID: fmt.Sprintf("0015g%013d", i),
			},
			Last: ledger.Last{Run: "sf_health.q0123456789abcdef"},
		}
	}
	return entries
}

// perSecond reports entries per second of wall clock and CPU time per entry, as
// other work on the machine disturbs the first only.
func perSecond(b *testing.B, n int, cpu time.Duration) {
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(n), "cpu-ns/entry")
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkLedger commits, commits again and reads 500,000 entries, more than
// three times what waits.
func BenchmarkLedger(b *testing.B) {
	const total = 500_000
	ctx := context.Background()
	const target = "sf_health#salesforce_prod#Account"
	each := func(b *testing.B, f func(s *Store, part []ledger.Entry) error, prepare ...func(*Store, []ledger.Entry) error) {
		entries := benchEntries(total)
		var cpu time.Duration
		n := 0
		b.StopTimer()
		for range b.N {
			s, err := Open(filepath.Join(b.TempDir(), "penstock.db"), time.Now)
			if err != nil {
				b.Fatal(err)
			}
			for _, p := range prepare {
				for at := 0; at < total; at += batch {
					if err := p(s, entries[at:at+batch]); err != nil {
						b.Fatal(err)
					}
				}
			}
			start := cpuTime()
			b.StartTimer()
			for at := 0; at < total; at += batch {
				if err := f(s, entries[at:at+batch]); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			cpu += cpuTime() - start
			n += total
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, n, cpu)
	}
	read := func(s *Store, part []ledger.Entry) (map[string]ledger.Entry, error) {
		keys := make([]string, len(part))
		for i := range part {
			keys[i] = part[i].Key
		}
		return s.Entries(ctx, target, keys)
	}
	look := func(s *Store, part []ledger.Entry) error {
		got, err := read(s, part)
		if err == nil && len(got) != len(part) && len(got) != 0 {
			err = fmt.Errorf("got %d entries of %d", len(got), len(part))
		}
		return err
	}
	// A worker reads, then commits over what it read.
	commit := func(s *Store, part []ledger.Entry) error {
		stored, err := read(s, part)
		if err != nil {
			return err
		}
		mine := slices.Clone(part)
		for i := range mine {
			e := &mine[i]
			e.Revision = stored[e.Key].Revision
			e.Held.Sequence, e.Last.Sequence = stored[e.Key].Held.Sequence+1, stored[e.Key].Held.Sequence+1
			e.Held.Fingerprint[2]++ // equal bytes would not be written
		}
		lost, err := s.Commit(ctx, target, mine)
		if err == nil && len(lost) > 0 {
			err = fmt.Errorf("%d entries lost against nobody", len(lost))
		}
		return err
	}
	b.Run("read and commit new", func(b *testing.B) { each(b, commit) })
	b.Run("read and commit again", func(b *testing.B) { each(b, commit, commit) })
	b.Run("read present", func(b *testing.B) { each(b, look, commit) })
	other := func(s *Store, part []ledger.Entry) error {
		renamed := make([]ledger.Entry, len(part))
		for i, e := range part {
			e.Key = "another." + e.Key
			renamed[i] = e
		}
		_, err := s.Commit(ctx, target, renamed)
		return err
	}
	b.Run("read absent", func(b *testing.B) { each(b, look, other) })
}

// BenchmarkQueue sends, receives and deletes messages of 170 KB, about 2,500 rows
// each, 16 a send and 10 a receive.
func BenchmarkQueue(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "penstock.db"), time.Now)
	ctx := context.Background()
	body := bytes.Repeat([]byte("x"), 170_000)
	start, n := cpuTime(), 0
	for b.Loop() {
		var msgs []envelope.Message
		for i := range 16 {
			msgs = append(msgs, envelope.Message{Group: fmt.Sprint("health#", i%4), Dedup: fmt.Sprint(n), Body: body})
			n++
		}
		if _, err := s.Send(ctx, "salesforce", msgs); err != nil {
			b.Fatal(err)
		}
		for taken := 0; taken < len(msgs); {
			got, err := s.Receive(ctx, "salesforce", 10, time.Hour)
			if err != nil {
				b.Fatal(err)
			}
			for _, d := range got {
				if err := s.Delete(ctx, "salesforce", d.Receipt); err != nil {
					b.Fatal(err)
				}
			}
			taken += len(got)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64((cpuTime()-start).Microseconds())/float64(n), "cpu-us/message")
}
