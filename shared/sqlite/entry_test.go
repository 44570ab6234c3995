package sqlite

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
)

var update = flag.Bool("update", false, "write the golden files")

var sample = []ledger.Entry{
	{
		Key: "acme.com", Held: ledger.Held{Fingerprint: row.Fingerprint{1, 15: 2}, Fields: []uint32{1, 1<<32 - 1}, ID: "0015g", Sequence: 1<<53 + 1},
		Last: ledger.Last{Sequence: 1<<53 + 1}, Revision: 300,
	},
	{
		Key: "refused since", Held: ledger.Held{Fingerprint: row.Fingerprint{1}, ID: "0015g", Sequence: 7},
		Last: ledger.Last{Sequence: 8, Error: "health.1#b1#3"}, Revision: 1 << 40,
	},
	{Key: "größe", Held: ledger.Held{Fields: []uint32{3}, Sequence: 9, Base: 6}, Last: ledger.Last{Sequence: -1, Error: "health.1#b1#3", Intent: "health.1#b1#4", Unknown: true}, Revision: 1},
	{Key: strings.Repeat("k", 200), Last: ledger.Last{Sequence: 4}, Revision: 2},
	{},
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("what is stored changed: raise schemaVersion if it must (-want +got):\n%s", diff)
	}
}

func TestEntryGolden(t *testing.T) {
	var b strings.Builder
	for i := range sample {
		value := appendEntry(nil, &sample[i], 300, sample[i].Revision)
		fmt.Fprintln(&b, hex.EncodeToString(value))
		var r reader
		e, origin, ok, err := r.entry(sample[i].Key, value)
		if err != nil || !ok || origin != 300 {
			t.Errorf("entry %d: origin %d, ok %t, %v", i, origin, ok, err)
		}
		if diff := cmp.Diff(sample[i], e); diff != "" {
			t.Errorf("entry %d (-want +got):\n%s", i, diff)
		}
		if _, _, ok, err := r.entry("another", value); ok || err != nil {
			t.Errorf("entry %d under another key: ok %t, %v", i, ok, err)
		}
		if got := revisionOf(value); got != sample[i].Revision {
			t.Errorf("entry %d: revision %d", i, got)
		}
	}
	golden(t, "entry", b.String())
}

func TestDamagedEntry(t *testing.T) {
	value := appendEntry(nil, &sample[0], 300, 7)
	for n := range value {
		var r reader
		if _, _, ok, err := r.entry(sample[0].Key, value[:n]); ok || !errors.Is(err, errEntry) {
			t.Errorf("%d bytes of %d: ok %t, %v", n, len(value), ok, err)
		}
	}
	other := slices.Clone(value)
	other[len(appendText(nil, sample[0].Key))] += 0x10
	if _, _, ok, err := new(reader).entry(sample[0].Key, other); ok || err == nil || !strings.Contains(err.Error(), "format 0x40, this program knows format 0x30") {
		t.Errorf("another format: ok %t, %v", ok, err)
	}
	var r reader
	if _, _, ok, err := r.entry(sample[0].Key, append(value, 0)); ok || !errors.Is(err, errEntry) {
		t.Errorf("a byte too many: ok %t, %v", ok, err)
	}
}

func FuzzEntry(f *testing.F) {
	for i := range sample {
		f.Add(sample[i].Key, appendEntry(nil, &sample[i], 1, 2))
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		var r reader
		if e, _, ok, _ := r.entry(key, value); ok && e.Key != key {
			t.Errorf("got the entry of %q for %q", e.Key, key)
		}
	})
}

// A row of pending holds values of any length.
func TestPendingLengths(t *testing.T) {
	var body []byte
	lengths := []int{0, 1, 90, 120, 130, 16_350, 16_360, 16_370, 16_380, 16_390, 70_000, 3_000_000}
	for i, n := range lengths {
		body = appendPending(body, int64(i), &ledger.Entry{Key: fmt.Sprint(i), Held: ledger.Held{ID: strings.Repeat("x", n)}}, 1, 1)
	}
	var l pending
	if err := l.take(1, body); err != nil {
		t.Fatal(err)
	}
	for i, n := range lengths {
		var r reader
		e, _, ok, err := r.entry(fmt.Sprint(i), l.get(int64(i), fmt.Sprint(i)))
		if err != nil || !ok || len(e.Held.ID) != n {
			t.Errorf("length %d: got %d, %t, %v", n, len(e.Held.ID), ok, err)
		}
	}
	for _, n := range []int{1, 8, 9, 19, 23, len(body) - 1} {
		if err := new(pending).take(1, body[:n]); !errors.Is(err, errEntry) {
			t.Errorf("%d bytes of %d: %v", n, len(body), err)
		}
	}
}

// Keys whose hashes are equal share a slot.
func TestKeysWithOneHash(t *testing.T) {
	real := slotOf
	t.Cleanup(func() { slotOf = real })
	slotOf = func(target int64, key []byte) int64 { return target<<hashBits | int64(len(key)) }
	for _, most := range []int{1, 5, lateMost} {
		t.Run(fmt.Sprint("sorted in at ", most), func(t *testing.T) { testKeysWithOneHash(t, most) })
	}
}

func testKeysWithOneHash(t *testing.T, most int) {
	s := mustOpen(t, "", newClock().now)
	s.waits(most)
	entry := func(key string, sequence int64) ledger.Entry {
		return ledger.Entry{Key: key, Held: ledger.Held{Fingerprint: row.Fingerprint{byte(sequence)}, ID: "id of " + key, Sequence: sequence}, Last: ledger.Last{Sequence: sequence}}
	}
	commit := func(lost []int, entries ...ledger.Entry) {
		t.Helper()
		got, err := s.Commit(t.Context(), "t", entries)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lost, got); diff != "" {
			t.Errorf("lost (-want +got):\n%s", diff)
		}
	}
	read := func(keys ...string) map[string]ledger.Entry {
		t.Helper()
		got, err := s.Entries(t.Context(), "t", keys)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	commit(nil, entry("a", 1), entry("b", 1), entry("cc", 1), entry("c", 1)) // of the slots 1 and 2
	before := read("a", "b", "c", "cc", "d", "e", "dd")
	over := func(key string, sequence int64) ledger.Entry {
		e := entry(key, sequence)
		e.Revision = before[key].Revision
		return e
	}
	commit(nil, over("c", 2), over("b", 2), over("d", 2))
	commit([]int{1, 2}, over("cc", 3), over("b", 1), over("d", 1), over("e", 1), over("dd", 1)) // of one slot, each by itself
	void := func(e ledger.Entry) ledger.Entry { e.Held = e.Held.InDoubt(false); return e }
	want := map[string]ledger.Entry{
		"a": entry("a", 1), "b": void(entry("b", 2)), "c": entry("c", 2), "d": void(entry("d", 2)), "e": entry("e", 1),
		"cc": entry("cc", 3), "dd": entry("dd", 1),
	}
	got := read("a", "b", "c", "d", "e", "f", "cc", "dd", "ee")
	for key, e := range got {
		e.Revision = 0
		got[key] = e
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
